# Runs inside scripts/with-sender. /scratch/port: where the server listens; /scratch/list: file, sender, recipient, a line each.
cat >/etc/smtpd.conf <<CONF
action "relay" relay host smtp+tls://127.0.0.1:$(cat /scratch/port) helo opensmtpd.example.net tls no-verify
match from any for any action "relay"
CONF
mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty /run
chmod 711 /var/spool/smtpd
for queue in offline:770 purge:700 queue:700 corrupt:700 temporary:700; do
    mkdir -p "/var/spool/smtpd/${queue%:*}"
    chmod "${queue#*:}" "/var/spool/smtpd/${queue%:*}"
    chown opensmtpq:root "/var/spool/smtpd/${queue%:*}"
done
chown root:opensmtpq /var/spool/smtpd/offline
chgrp opensmtpq /usr/sbin/smtpctl
chmod 2555 /usr/sbin/smtpctl
smtpd -d -f /etc/smtpd.conf >/scratch/log 2>&1 &
for _ in $(seq 100); do
    if smtpctl show stats >/dev/null 2>&1; then break; fi
    sleep 0.1
done
while read -r file sender recipient; do
    if [[ $sender == "<>" ]]; then sender=; fi
    /usr/sbin/sendmail -f "$sender" -- "$recipient" <"/scratch/$file"
done </scratch/list
for _ in $(seq 300); do
    if [[ -z $(smtpctl show queue) ]]; then exit 0; fi
    sleep 0.1
done
smtpctl show queue
cat /scratch/log
exit 1
