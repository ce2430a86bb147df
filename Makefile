# `make` alone says what there is.

# Paths in recipes are relative, so that a checkout path with spaces works.
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: help lessons test check oracle bench torture sanitize machines doc clean

CARGO ?= cargo
# The tests run this PHP too: make test PHP=target/php/8.5/php
PHP ?= php
export PHP
STRACE ?= strace
# A name that no server knows is to cost a lesson seconds, also where a DNS server keeps silent.
export RES_OPTIONS ?= timeout:2 attempts:1
# The lessons' numbers, as lessons/lessons.toml lists them; lesson-03 is lessons/03-the-conversation.
numbers := $(shell sed -n 's/^\[\([0-9][0-9]\)\]$$/\1/p' lessons/lessons.toml)
folder = $(patsubst %/,%,$(wildcard lessons/$(1)-*/))
# Ctrl-C ends a lesson, and is no failure that make would have to report. GNU make 4.3 says "wait: No child processes" where
# the recipe ends while make's own SIGINT is pending (bit 1 of the mask), so the recipe waits until it is not.
verdict = while grep -q 'Pnd:.*[2367abef]$$' "/proc/$$PPID/status" 2>/dev/null; do sleep 0.01; done; \
    [ "$$status" -eq 130 ] || exit "$$status"
interruptible = trap : INT; $(1); status=$$?; $(verdict)
# ARGS inside single quotes.
quoted = $(subst ','\'',$(ARGS))
# Lesson $(1) gets ARGS as words, if they are words and it takes any.
given = $(if $(ARGS),sh -n -c 'set -- $(quoted)' 2>/dev/null || { printf '%s\n' \
    'The shell cannot read these arguments (is a quote left open?): $(quoted)' >&2; exit 2; }; \
    grep -Eq 'argv|address_and_port' "$(call folder,$(1))/main.php" || echo "Lesson $(1) takes no arguments." >&2,:)
# The first build takes its time in silence otherwise.
building = [ -e $(1) ] || echo "Building $(notdir $(1)): the first time this takes some seconds." >&2
need = command -v $(1) >/dev/null 2>&1 || { echo "This needs $(1): $(2)" >&2; exit 2; }
# The lessons with a second terminal.
demos := $(sort $(foreach demo,$(wildcard lessons/[0-9][0-9]-*/demo.txt),$(firstword $(subst -, ,$(notdir $(demo:/demo.txt=))))))
# Where the other end finds those that are servers, port_NN, and whose clients the others are, client_of_NN.
$(foreach row,$(shell awk -F'[]["= .]+' '/^\[/ { number = $$2 } /^(port|client_of) / { print $$1 "_" number ":=" $$2 }' \
    lessons/lessons.toml),$(eval $(row)))
# Lesson 3 is lesson 03.
short := $(patsubst 0%,%,$(filter 0%,$(numbers)))
servers := $(foreach number,$(demos),$(if $(port_$(number)),$(number)))
# The players of lesson $(1)'s demo: programs of the folder $(2), the lesson itself by way of $(3). A client's server is
# another lesson, or the player of the demo itself.
server_of = $(filter-out demo,$(client_of_$(1)))
cast = $(if $(client_of_$(1)),$(if $(server_of),--server $(2)/lesson-$(server_of)) --client $(3) $(2)/lesson-$(1),--server $(3) \
    $(2)/lesson-$(1) --client $(2)/lesson-client)
programs = --features lessons --bin lesson-$(1) $(if $(filter $(1),$(demos)),--bin lesson-demo --bin lesson-client \
    $(server_of:%=--bin lesson-%))
.PHONY: $(foreach target,lesson php trace client demo,$(short:%=$(target)-%))
.PHONY: $(numbers:%=lesson-%) $(numbers:%=php-%) $(numbers:%=trace-%) $(servers:%=client-%) $(demos:%=demo-%)

# A demo has its arguments in its script.
played = $(if $(ARGS),echo "The demo of lesson $(1) takes no arguments." >&2,:)

# Each lesson with its title.
list = awk -F'"' '/^\[..\]$$/ { number = substr($$0, 2, 2) } /^title/ { print "  make lesson-" number "   " $$2 }' \
    lessons/lessons.toml

lessons:
	@trap 'exit 0' PIPE; { \
	$(list); \
	echo; \
	echo "Begin with make lesson-03. 'make' alone lists what else there is for each lesson."; \
	} 2>/dev/null

help:
	@trap 'exit 0' PIPE; { \
	echo "Lessons"; \
	$(list); \
	echo; \
	echo "Each lesson also has (03 stands for its number)"; \
	echo "  make php-03      its twin in PHP: the same steps, the same output"; \
	echo "  make trace-03    every PHP function with the system calls it makes"; \
	echo "  ARGS=\"...\"       passes arguments: make lesson-04 ARGS=\"127.0.0.1 8000\""; \
	echo "and those that need a second terminal ($(strip $(demos)))"; \
	echo "  make client-10   the other end of lesson 10: what you type is sent"; \
	echo "  make demo-10     both ends at once, typed for you: who says what"; \
	echo; \
	echo "The project"; \
	echo "  make check       format, warnings, and the tests that take seconds"; \
	echo "  make test        everything; as root it installs the tools it needs"; \
	echo "  make oracle      the crate beside PHP 8.2, 8.4 and 8.5, fetched into target/"; \
	echo "  make bench       the crate beside C, PHP and its peers; QUICK=1 for a minute"; \
	echo "  make torture     every system call of every function and lesson fails once"; \
	echo "  make sanitize    the tests under valgrind and two sanitizers"; \
	echo "  make machines    make test in a Debian 13, and the tests for aarch64; as root"; \
	echo "  make doc         the documentation, in the browser"; \
	echo "  make clean       removes all that was built or fetched: the folder target/"; \
	} 2>/dev/null

$(numbers:%=lesson-%): lesson-%:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call given,$*)
	@$(call building,target/debug/lesson-$*)
	@$(call interruptible,ulimit -S -n "$$(ulimit -H -n)" && $(CARGO) run --quiet --features lessons --target-dir target --bin lesson-$* -- $(ARGS))

# PHP's event extension is in no package of Debian's. Where it is missing, what the tests use plays its part.
event = tests/lessons/event.php
stand_in_15 = { $(PHP) -r 'exit((int) !class_exists("EventBase"));' || { stand_in="-d auto_prepend_file=$(event)"; \
    echo "This PHP has no event extension (README.md of lesson 15). $(event) stands in for it." >&2; }; }

$(numbers:%=php-%): php-%:
	@$(call need,$(PHP),apt install php-cli)
	@$(call given,$*)
	@$(call interruptible,stand_in=; ulimit -S -n "$$(ulimit -H -n)" && $(or $(stand_in_$*),:) && \
	    $(PHP) -d display_errors=stderr -d log_errors=0 $$stand_in "$(call folder,$*)/main.php" $(ARGS))

$(servers:%=client-%): client-%:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call given,$*)
	@$(call building,target/debug/lesson-client)
	@$(call interruptible,$(CARGO) run --quiet --features lessons --target-dir target --bin lesson-client -- \
	    --server 'make lesson-$*$(if $(ARGS), ARGS="$(subst ",\",$(quoted))")' $(port_$*) $(or $(ARGS),127.0.0.1 $(port_$*)))

$(demos:%=demo-%): demo-%:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call played,$*)
	@$(call building,target/debug/lesson-demo)
	@$(CARGO) build --quiet --target-dir target $(call programs,$*)
	@$(call interruptible,target/debug/lesson-demo $(call folder,$*)/demo.txt $(call cast,$*,target/debug))

# strace reads stacks of programs that GNU ld has linked; the one that Rust brings confuses it. -I 2: Ctrl-C ends the
# lesson, and with it strace. Each thread has a file of its own. -a 36: a short call and its result are a line of 80 columns.
strace = $(STRACE) -ff -k -a 36 -I 2 -o target/trace/$(1) \
    -e trace=%network,uname,read,write,close,fcntl,ioctl,poll,select,pselect6,openat,readv,writev,epoll_create1,epoll_ctl,epoll_wait,eventfd2
# A thousand ports are six thousand lines.
trace-08: ARGS ?= 127.0.0.1 1 4
$(numbers:%=trace-%): trace-%:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call need,$(STRACE),apt install strace)
	@$(call $(if $(filter $*,$(demos)),played,given),$*)
	@$(call building,target/trace/debug/lesson-$*)
	@RUSTFLAGS=-Clink-arg=-fuse-ld=bfd $(CARGO) build --quiet --target-dir target/trace $(call programs,$*)
	@rm -f target/trace/$*.[0-9]*
	@trap 'exit 0' PIPE; trap : INT; $(if $(filter $*,$(demos)),target/trace/debug/lesson-demo $(call folder,$*)/demo.txt \
	    $(call cast,$*,target/trace/debug,$(call strace,$*)),$(call strace,$*) target/trace/debug/lesson-$* $(ARGS)); status=$$?; \
	printf '\nThe PHP functions and their system calls:\n\n' 2>/dev/null; \
	nm -nC target/trace/debug/lesson-$* >target/trace/$*.names; \
	for thread in $$(ls target/trace/$*.[0-9]* | sort -V); do \
	    awk -f lessons/trace.awk target/trace/$*.names "$$thread"; \
	done; \
	$(verdict)

$(short:%=lesson-%): lesson-%: lesson-0%; @:
$(short:%=php-%): php-%: php-0%; @:
$(short:%=trace-%): trace-%: trace-0%; @:
$(short:%=client-%): client-%: client-0%; @:
$(short:%=demo-%): demo-%: demo-0%; @:

lesson-% php-% trace-% client-% demo-%:
	@$(error $(if $(filter $(demos),$*),Lesson $* is itself the client: make lesson-$*,$(if $(filter $(numbers),$*),Lesson $* needs no second terminal: make lesson-$*,There is no such lesson. Type 'make' for the list)))

lesson- php- trace- client- demo-:
	@$(error Which lesson? Type 'make' for the list)

# The folders are there, so make would say that nothing is to be done.
.PHONY: src tests
src tests .DEFAULT:
	@$(error There is no such target: $@. Type 'make' for the list)

test:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@sh tests/tools.sh
	@CARGO="$(CARGO)" sh tests/run.sh all

check:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@sh tests/tools.sh
	@CARGO="$(CARGO)" sh tests/run.sh quick

oracle:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@CARGO="$(CARGO)" sh tests/oracle/versions.sh $(VERSIONS)

bench:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call need,cc,apt install gcc)
	@$(call need,taskset,apt install util-linux)
	@sh tests/tools.sh
	@$(CARGO) build --quiet --locked --release --manifest-path tests/bench/Cargo.toml --target-dir target/bench
	@QUICK="$(QUICK)" timeout --foreground 900 target/bench/release/bench

torture:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call need,cc,apt install gcc)
	@sh tests/tools.sh
	@TORTURE="$(or $(TORTURE),full)" timeout --foreground --kill-after=10 1800 \
	    $(CARGO) test --quiet --features lessons --test faults --test lesson_faults -- --nocapture

sanitize:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@sh tests/tools.sh
	@CARGO="$(CARGO)" sh tests/sanitize.sh

machines:
	@sh tests/machines.sh

doc:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(CARGO) doc --no-deps --open

# The packages in tests/ have a folder target/ too if cargo was called there; a fuzzer leaves its findings.
clean:
	@[ ! -e target/machines ] || [ -w target/machines ] || \
	    { echo "target/machines belongs to root, as make machines does. Type: sudo make clean" >&2; exit 2; }
	@rm -rf --one-file-system target tests/*/target tests/fuzz/artifacts tests/fuzz/coverage
