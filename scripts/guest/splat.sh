# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What counts as a kernel complaint. Sourced by the guest and by the host, so
# that a message found in the log and one found on the console of a dying VM
# are judged alike.

SPLAT='BUG:|BUG [^ ]+ [(]|WARNING:|Oops|KASAN|KCSAN|KFENCE|KMSAN|UBSAN'
SPLAT="$SPLAT|possible circular locking|possible recursive locking|inconsistent lock state|bad unlock balance|register non-static key|turning off the locking correctness|suspicious RCU"
SPLAT="$SPLAT|INFO: task .* blocked|detected stall|self-detected stall|detected expedited stall"
SPLAT="$SPLAT|unable to handle|general protection|refcount_t:|Kernel panic|leaked|Objects remaining|ODEBUG:|list_(add|del) corruption|sleeping function called"

# Not worth a line: Debian kernels say this of every module they did not sign,
# and the VM ends by a restart that QEMU turns into its exit.
SPLAT_IGNORE='module verification failed|loading out-of-tree module taints kernel|reboot: Restarting system'

# A kernel log (stdin) without what is not worth a line, and without the data
# races that KCSAN sees between two places of the kernel: it has many, and under a
# system call or an interrupt the module may be anywhere in their call traces. A
# report concerns us when one of the two accesses is the module's own. Lines of
# other processors that got in between stay if they are complaints themselves.
kernel_log() {
	grep -vE "$SPLAT_IGNORE" | awk -v splat="$SPLAT" '
		function flush(	n, i, line) {
			n = split(report, line, "\n")
			for (i = 1; i < n; i++)
				if (ours || line[i] !~ /KCSAN/ && line[i] ~ splat)
					print line[i]
			report = ""
		}
		report != "" {
			report = report $0 "\n"
			if (/ to 0x[0-9a-f]+ of [0-9]+ bytes by /)
				inner = 2
			ours = ours || inner-- > 0 && /\[wsock\]/
			if (/==========$/)
				flush()
			next
		}
		/BUG: KCSAN:/ && edge != "" {
			report = edge "\n" $0 "\n"
			ours = edge = inner = ""
			next
		}
		edge != "" { print edge; edge = "" }
		/==========$/ { edge = $0; next }
		{ print }
		END {
			if (edge != "")
				print edge
			flush()
		}'
}

# Of a kernel log (stdin), the lines that are complaints.
complaints() {
	kernel_log | grep -E "$SPLAT"
}
