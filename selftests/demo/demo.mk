# SPDX-License-Identifier: GPL-2.0
#
# Programs of "make demo"; included by ../Makefile. The servers are built as any
# Winsock program is: headers and -lwsock.

DEMO	:= $(addprefix $(BUILD)/bin/,demo demo_server demo_iocp demo_client demo_watch)
BINS	+= $(DEMO)

all: $(DEMO)

$(BUILD)/bin/demo_%: demo/demo_%.c demo/demo.h $(wildcard ../libwsock/include/*.h ../libwsock/include/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) $(DEMO_LDLIBS)

$(BUILD)/bin/demo_server $(BUILD)/bin/demo_iocp: DEMO_LDLIBS := -L$(BUILD)/lib -lwsock -lpthread
$(BUILD)/bin/demo_server $(BUILD)/bin/demo_iocp: $(BUILD)/lib/libwsock.so

$(BUILD)/bin/demo: demo/demo
	@mkdir -p $(@D)
	install -m 0755 $< $@
