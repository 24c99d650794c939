# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Loading and unloading the module, which patches the scheduler's code (preempt
# notifiers). The emulator of QEMU before 8.1 may translate code that another
# processor is patching and keep the breakpoint of that moment for ever ("Oops:
# int3" in __schedule, much later): so only one processor is there meanwhile.

set_processors() { # 0 or 1: whether there are others than the first
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ ! -e "$cpu" ] || echo "$1" >"$cpu"
	done
}

module_load() {
	set_processors 0
	insmod /wsock/wsock.ko
	set -- $?
	set_processors 1
	return "$1"
}

module_unload() {
	set_processors 0
	rmmod wsock
	set -- $?
	set_processors 1
	return "$1"
}
