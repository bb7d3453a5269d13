#!/bin/sh
# Runs a program that was compiled for AVX-512 (a Skylake server's) and linked statically on a machine that may not have it: in Bochs,
# which emulates such a processor instruction by instruction, under a Debian kernel with nothing else in its memory. Preset bochs
# runs its tests through this. It takes half a minute to start, and runs a few hundred times slower than the processor would.
#   usage: bochs.sh PROGRAM [ARGUMENT...]       the program sees OMP_NUM_THREADS and the golden numbers
#   environment: KERNEL, a Linux kernel image (none: Debian's, unpacked once beside the program)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1")
shift
home=$(dirname "$program")/emulate
mkdir -p "$home"

# Only unpacked, never installed: it is not this machine that boots it.
if [ -z "${KERNEL:-}" ] && ! ls "$home"/linux/boot/vmlinuz-* >/dev/null 2>&1; then
  package=$(awk '$1 == "unpacked" { print $2 }' "$here/../../cmake/packages.txt")
  image=$(apt-cache depends "$package" | awk '/Depends: linux-image/ { print $2; exit }')
  (cd "$home" && apt-get -qq download "$image" && dpkg -x "$image"_*.deb linux && rm "$image"_*.deb)
fi
kernel=${KERNEL:-$(ls "$home"/linux/boot/vmlinuz-*)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/proc" "$work/root/sys" "$work/root/dev" "$work/root/tmp" "$work/disc/isolinux"
${CXX:-g++} -std=c++20 -O1 -static "$here/init.cpp" -o "$work/root/init"
cp "$program" "$work/root/program"
golden=$(cd "$here/.." && pwd)/golden  # programs look where they would look here
mkdir -p "$work/root$golden"
cp -r "$golden/attention" "$work/root$golden"
{
  echo "OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}"
  echo
  echo /program
  for word; do echo "$word"; done
} >"$work/root/run"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1 >"$work/disc/initrd.gz")
cp "$kernel" "$work/disc/vmlinuz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/disc/isolinux"
# The emulator tells the size of compacted register images wrongly, at which Linux would do without AVX-512.
cat >"$work/disc/isolinux/isolinux.cfg" <<END
default tests
label tests
kernel /vmlinuz
append initrd=/initrd.gz console=ttyS0 quiet clearcpuid=xsaves,xsavec mitigations=off panic=-1 random.trust_cpu=on
END
genisoimage -quiet -o "$work/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table "$work/disc"
cat >"$work/bochsrc" <<END
config_interface: textconfig
display_library: rfb, options="timeout=0"
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
clock: sync=none, time0=utc
log: $work/log
panic: action=fatal
error: action=report
END
echo continue >"$work/debugger"
(cd "$work" && bochs -q -f bochsrc -rc debugger >out 2>&1 </dev/null) || true  # a machine that switches itself off counts as an error
tr -d '\r' <"$work/serial" | sed '/^emulated: exit/d'
status=$(tr -d '\r' <"$work/serial" | sed -n 's/^emulated: exit //p')
[ -n "$status" ] || { echo "the emulated machine did not come to the end; its last words:"; tail -n 20 "$work/out"; exit 1; }
exit "$status"
