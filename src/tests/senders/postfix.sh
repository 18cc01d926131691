# Runs inside scripts/with-sender. /scratch/port: where the server listens; /scratch/list: file, sender, recipient, a line each.
cat >/etc/postfix/main.cf <<CONF
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
myhostname = postfix.example.net
myorigin = example.net
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:$(cat /scratch/port)
smtp_tls_security_level = encrypt
# Whole, as they are.
smtp_line_length_limit = 0
header_size_limit = 100000000
message_size_limit = 0
CONF
# Without a listener of its own, and not in a root of its own.
sed -e '/^smtp      inet/d' -e 's/-       y       -/-       n       -/' /usr/share/postfix/master.cf.dist >/etc/postfix/master.cf
mkdir -p /var/spool/postfix /var/lib/postfix
chown postfix /var/lib/postfix
postfix start
while read -r file sender recipient; do
    if [[ $sender == "<>" ]]; then sender=; fi
    sendmail -i -f "$sender" -- "$recipient" <"/scratch/$file"
done </scratch/list
for _ in $(seq 300); do
    if [[ $(postqueue -p) == *empty ]]; then exit 0; fi
    sleep 0.1
done
postqueue -p
cat /var/log/postfix.log
exit 1
