#!/bin/sh
# The container's command: our configuration over the package's, the password of the REST interface from its secret.
set -eu
site=/etc/callcenter/asterisk
cp "$site"/*.conf /etc/asterisk/
if grep -n '^password *= *CHANGE-ME' /etc/asterisk/pjsip.conf; then
  echo "asterisk: give the phones and trunks above passwords of their own in $site/pjsip.conf" >&2
  exit 1
fi
for file in ari manager; do  # the REST interface, and the one that pauses recordings
  [ ! -e "$site/$file.conf" ] || sed -i "s/^\(password\|secret\) = CHANGE-ME/\1 = $(cat /run/secrets/asterisk-password)/" /etc/asterisk/$file.conf
done
chown -R asterisk:asterisk /etc/asterisk
exec asterisk -f -U asterisk
