#!/bin/bash
# Unpacks Asterisk 22 LTS from Debian's packages into a folder, without touching the system's own packages.
# usage: get-asterisk.sh FOLDER     as root on Debian 12, which has no Asterisk package of its own; 290 MB
# The tests find it by ASTERISK_ROOT=FOLDER. A second run changes nothing.
set -euo pipefail
root=$(realpath -m "${1:?folder}")
if [ -x "$root/usr/sbin/asterisk" ]; then echo "Asterisk is in $root already"; exit 0; fi
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial,log}
: > "$apt/status"
# The same mirror as the machine's own packages; its unstable suite has 22 LTS.
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" > "$apt/etc/sources.list"
options=(-o "Dir::Etc=$apt/etc" -o "Dir::Etc::sourcelist=$apt/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State=$apt/state" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o "Dir::Log=$apt/log"
  -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
apt-get "${options[@]}" -qq update
apt-get "${options[@]}" -y -qq --no-install-recommends --download-only install asterisk asterisk-core-sounds-en-gsm libc6 >/dev/null
unpacked=$(mktemp -d "$root.XXXXXX" 2>/dev/null || { mkdir -p "$(dirname "$root")"; mktemp -d "$root.XXXXXX"; })
for package in "$apt"/cache/archives/*.deb; do dpkg -x "$package" "$unpacked"; done
ln -sfn en_US_f_Allison "$unpacked/usr/share/asterisk/sounds/en"
rm -rf "$root"
mv "$unpacked" "$root"
echo "Asterisk is in $root"
