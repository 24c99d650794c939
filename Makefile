# SPDX-License-Identifier: GPL-2.0
#
# For people: "make demo" and "make check" do all set-up themselves, in a build
# root outside this tree. "make modules" and "make install" build for the
# system at hand. (kbuild reads Kbuild, not this file.)

KDIR    ?= /lib/modules/$(shell uname -r)/build
PREFIX  ?= /usr/local
KERNELS ?= 6.12 7.3
TESTS   ?=
OPS     ?= 1000000
SECONDS ?=
SEED    ?=
DEBUG_KERNELS ?= 6.12-kasan 6.12-kcsan

help:
	@echo 'In a VM, nothing on this machine is touched but the cache directory:'
	@echo '  make demo             build everything, show the programs at work'
	@echo '  make check            build everything, run all tests on every kernel'
	@echo '                        (KERNELS="6.12" TESTS="test_a test_b" to choose)'
	@echo '  make check-debug      build kernels with sanitizers (once), run all tests on them'
	@echo '                        (DEBUG_KERNELS="6.12-kasan" TESTS=... to choose)'
	@echo '  make coverage         run all tests once more, see which lines they run; see'
	@echo '                        selftests/uncovered'
	@echo '  make torture          a million operations at random, each counted once'
	@echo '                        (KERNELS="6.12" OPS=100000 SECONDS=600 SEED=1 to choose)'
	@echo '  make fuzz-device      random calls on the debug kernel 6.12-kasan, guided by what'
	@echo '                        code of the module they run (SECONDS=600 SEED=1 to choose)'
	@echo "  make check-programs   build real programs' code for Windows, run their tests"
	@echo '  make bench            build everything, measure; table in build/bench.tsv'
	@echo 'For this system:'
	@echo '  make modules          the module, for the running kernel (KDIR=... for another)'
	@echo '  make modules_install  install the module (root)'
	@echo '  make install          build and install the library (PREFIX=, DESTDIR=)'
	@echo 'For developers:'
	@echo '  make model            search the model of an operation for errors (some minutes)'
	@echo '  make check-library    the headers and symbols of the library, without a VM'
	@echo '  make fuzz             what of the library reads memory and files of others'
	@echo '                        (SECONDS=600 SEED=1 to choose; for each of its parts)'
	@echo '  make lint             checkpatch, sparse, coccicheck, clang-tidy and so on, and'
	@echo '                        the ABI of the library: nothing to say'
	@echo '  make clean            remove all products (the build root stays)'

demo: build
	@scripts/vm --kernel 6.12 -- demo

check: fetch
	@scripts/check --kernels "$(KERNELS)" --tests "$(TESTS)"

check-debug: fetch
	@scripts/check --kernels "$(DEBUG_KERNELS)" --tests "$(TESTS)"

coverage: fetch
	@scripts/coverage

torture: fetch
	@scripts/torture --kernels "$(KERNELS)" --ops "$(OPS)" --seconds "$(SECONDS)" --seed "$(SEED)"

bench: build
	scripts/bench $(KERNELS)

fetch:
	@scripts/fetch

build: fetch
	@scripts/build

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

install:
	$(MAKE) -C libwsock install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

lint: fetch
	@scripts/lint

fuzz: fetch
	@scripts/fuzz --seconds "$(SECONDS)" --seed "$(SEED)"

fuzz-device: fetch
	@scripts/fuzz-device --seconds "$(SECONDS)" --seed "$(SEED)"

check-programs: fetch
	@scripts/programs --kernels "$(KERNELS)"

check-library:
	$(MAKE) -C libwsock check-headers check-windows check-abi check-static

model:
	scripts/model

clean:
	rm -rf build
	scripts/build --clean
	find . -path ./.git -prune -o -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name modules.order \
		-o -name Module.symvers \) -exec rm -f {} +
	if [ -e libwsock/Makefile ]; then $(MAKE) -C libwsock clean; fi

.PHONY: help demo check check-debug coverage torture bench fetch build modules \
	modules_install install check-library check-programs model fuzz fuzz-device lint clean
