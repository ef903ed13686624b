#!/bin/sh
# Boot systemd in namespaces of its own, over a copy-on-write view of this system, with a bundle installed into it:
#   unshare --mount --pid --ipc --uts --cgroup --fork boot.sh SCRATCH BUNDLE-FOLDER PROBE [FOLDER...]
# PROBE is a shell script that runs there once the service does; what it prints comes to BUNDLE-FOLDER/told. Each FOLDER
# is there by the same name, though the system has a /tmp of its own.
set -eu
scratch=$1 bundle=$2 probe=$3
shift 3
mount --make-rprivate /
mount -t tmpfs tmpfs "$scratch"
root=$scratch/root
mkdir "$scratch/upper" "$scratch/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mount -t proc proc "$root/proc"
for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
mount --rbind /sys "$root/sys"
umount --lazy "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --bind "$bundle" "$root/mnt"
for folder in "$@"; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
done
: >"$root/etc/machine-id"
rm -f "$root/usr/bin/udevadm" # it would wait for devices that are none of ours
chroot "$root" /mnt/install.sh >&2
printf '[serve]\nsource = "synthetic"\nport = 0\n' >"$root/etc/edge-digits/config.toml"
cp "$probe" "$root/probe.sh"
cat >"$root/etc/systemd/system/probe.service" <<END
[Unit]
After=edge-digits.service
Wants=edge-digits.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'sh /probe.sh >/mnt/told 2>&1; echo \$? >/mnt/code; systemctl exit --force --force'
END
export container=unshare
exec chroot "$root" /usr/lib/systemd/systemd --system --unit=probe.service --log-target=null --show-status=no
