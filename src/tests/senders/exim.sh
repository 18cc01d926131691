# Runs inside scripts/with-sender. /scratch/port: where the server listens; /scratch/list: file, sender, recipient, a line each.
# Exim sends BDAT to whoever offers CHUNKING.
mkdir -p /etc/exim4
cat >/etc/exim4/exim4.conf <<CONF
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = exim.example.net
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
keep_environment =
trusted_users = root
smtputf8_advertise_hosts = *
header_maxsize = 100M
header_line_maxsize = 100M
message_size_limit = 0
acl_not_smtp = accept_all
acl_smtp_rcpt = accept_all
begin acl
accept_all:
  accept
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = server
begin transports
server:
  driver = smtp
  port = $(cat /scratch/port)
  hosts_require_tls = *
  message_linelength_limit = 100M
begin retry
* * F,1m,1s
CONF
mkdir -p /var/spool/exim4 /var/log/exim4
chown -R Debian-exim:Debian-exim /var/spool/exim4 /var/log/exim4
while read -r file sender recipient; do
    if [[ $sender == "<>" ]]; then sender=; fi
    # Spoken to, since only then it can be told that the addresses are beyond ASCII.
    {
        printf 'EHLO localhost\r\nMAIL FROM:<%s> SMTPUTF8\r\nRCPT TO:<%s>\r\nDATA\r\n' "$sender" "$recipient"
        sed -e 's/^\./../' -e 's/$/\r/' "/scratch/$file"
        printf '.\r\nQUIT\r\n'
    } | exim4 -odf -bs >/scratch/said
    if ! grep -q '^250 OK id=' /scratch/said; then cat /scratch/said; fi
done </scratch/list
if [[ $(exim4 -bpc) != 0 ]]; then
    exim4 -bp
    cat /var/log/exim4/*log
    exit 1
fi
