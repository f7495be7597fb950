#!/bin/sh
# The container's command: our configuration over the package's, the password of the REST interface from its secret.
set -eu
site=/etc/callcenter/asterisk
cp "$site"/*.conf /etc/asterisk/
if grep -n '^password *= *CHANGE-ME' /etc/asterisk/pjsip.conf; then
  echo "asterisk: give the phones and trunks above passwords of their own in $site/pjsip.conf" >&2
  exit 1
fi
sed -i "s/^password = CHANGE-ME/password = $(cat /run/secrets/asterisk-password)/" /etc/asterisk/ari.conf
chown -R asterisk:asterisk /etc/asterisk
exec asterisk -f -U asterisk
