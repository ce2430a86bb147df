# `make` alone says what there is.

# Paths in recipes are relative, so that a checkout path with spaces works.
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: help test check bench doc

CARGO ?= cargo
PHP ?= php
STRACE ?= strace
# A name that nobody knows is to cost a lesson seconds, also where a DNS server keeps silent.
export RES_OPTIONS ?= timeout:2 attempts:1
# The lessons' numbers; lesson-03 is lessons/03-the-conversation.
numbers := $(sort $(foreach lesson,$(wildcard lessons/[0-9][0-9]-*/),$(firstword $(subst -, ,$(notdir $(lesson:/=))))))
folder = $(patsubst %/,%,$(wildcard lessons/$(1)-*/))
need = command -v $(1) >/dev/null 2>&1 || { echo "This needs $(1): $(2)" >&2; exit 2; }
.PHONY: $(numbers:%=lesson-%) $(numbers:%=php-%) $(numbers:%=trace-%)

help:
	@echo "Lessons"
	@for readme in lessons/[0-9][0-9]-*/README.md; do \
	    number=$${readme#lessons/}; number=$${number%%-*}; \
	    title=$$(sed -n 's/^# Lesson [0-9]* · //p' "$$readme"); \
	    printf '  make lesson-%s   %s\n' "$$number" "$$title"; \
	done
	@echo
	@echo "Each lesson also has (03 stands for its number)"
	@echo "  make php-03      its twin in PHP: the same steps, the same output"
	@echo "  make trace-03    every PHP function with the system calls it makes"
	@echo "  ARGS=\"...\"       passes arguments: make lesson-03 ARGS=\"...\""
	@echo
	@echo "The project"
	@echo "  make check       format, lints, and the tests that take seconds"
	@echo "  make test        everything; installs the tools it needs where it may"
	@echo "  make bench       the crate beside C, PHP and its peers; QUICK=1 for a minute"
	@echo "  make doc         the documentation, in the browser"

$(numbers:%=lesson-%): lesson-%:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@ulimit -S -n "$$(ulimit -H -n)" && $(CARGO) run --quiet --bin lesson-$* -- $(ARGS)

$(numbers:%=php-%): php-%:
	@$(call need,$(PHP),apt install php-cli)
	@ulimit -S -n "$$(ulimit -H -n)" && $(PHP) -d display_errors=stderr -d log_errors=0 "$(call folder,$*)/main.php" $(ARGS)

# strace reads stacks of programs that GNU ld has linked; the one that Rust brings confuses it.
$(numbers:%=trace-%): trace-%:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call need,$(STRACE),apt install strace)
	@RUSTFLAGS=-Clink-arg=-fuse-ld=bfd $(CARGO) build --quiet --target-dir target/trace --bin lesson-$*
	@$(STRACE) -k -o target/trace/$*.strace \
	    -e trace=%network,read,write,close,fcntl,ioctl,poll,select,pselect6,openat \
	    target/trace/debug/lesson-$* $(ARGS); status=$$?; \
	printf '\nThe PHP functions and their system calls:\n\n'; awk -f lessons/trace.awk target/trace/$*.strace; exit $$status

lesson-% php-% trace-%:
	@$(error There is no such lesson. Type 'make' for the list)

lesson- php- trace-:
	@$(error Which lesson? Type 'make' for the list)

test:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@sh tests/tools.sh
	@CARGO="$(CARGO)" sh tests/run.sh all

check:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@sh tests/tools.sh
	@CARGO="$(CARGO)" sh tests/run.sh quick

bench:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(call need,cc,apt install gcc)
	@$(call need,taskset,apt install util-linux)
	@sh tests/tools.sh
	@$(CARGO) build --quiet --locked --release --manifest-path tests/bench/Cargo.toml --target-dir target/bench
	@QUICK="$(QUICK)" timeout --foreground 900 target/bench/release/bench

doc:
	@$(call need,$(CARGO),install Rust from https://rustup.rs)
	@$(CARGO) doc --no-deps --open
