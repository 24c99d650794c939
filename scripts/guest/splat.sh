# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# What counts as a kernel complaint. Sourced by the guest and by the host, so
# that a message found in the log and one found on the console of a dying VM
# are judged alike.

SPLAT='BUG:|WARNING:|Oops|KASAN|KCSAN|KFENCE|KMSAN|UBSAN'
SPLAT="$SPLAT|possible circular locking|possible recursive locking|inconsistent lock state|bad unlock balance|suspicious RCU"
SPLAT="$SPLAT|INFO: task .* blocked|detected stall|self-detected stall|detected expedited stall"
SPLAT="$SPLAT|unable to handle|general protection|refcount_t:|Kernel panic|leaked|Objects remaining|ODEBUG:|list_(add|del) corruption|sleeping function called"

# Not worth a line: Debian kernels say this of every module they did not sign,
# and the VM ends by a restart that QEMU turns into its exit.
SPLAT_IGNORE='module verification failed|loading out-of-tree module taints kernel|reboot: Restarting system'
