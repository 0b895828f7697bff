# The commands of people and of CI. Each sets itself up: on a Debian machine with Swift, git and make,
# `make demo` and `make test` need nothing else.

SWIFT ?= swift
# A crash must not wait for somebody at a prompt.
export SWIFT_BACKTRACE ?= interactive=no

SWIFT_SOURCES = Sources Tests Package.swift $(wildcard benchmarks/Package.swift benchmarks/Sources benchmarks/Tests \
	benchmarks/Benchmarks)

# A debug build is enough where nothing is measured, and it is faster.
BENCH_CONFIGURATION ?= release

# Network namespaces take root.
AS_ROOT = $(if $(filter-out 0,$(shell id -u)),$(shell command -v sudo))

# Integration tests run on the program that is shipped.
ON_DIST = LOOPBRIDGE_PROGRAM=dist/loopbridge LOOPBRIDGE_RELEASE=1

.PHONY: help demo dist build format lint clean \
	test test-unit test-integration test-container test-tsan test-asan test-sanitizers-quick test-bench \
	test-faults test-faults-quick soak soak-peer test-soak \
	fuzz-config fuzz-http fuzz-proxy \
	bench bench-quick bench-micro bench-instructions bench-threats \
	setup setup-tests setup-containers setup-bench build-bench

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

demo: dist ## Show an app on 127.0.0.1 answering from outside
	dist/loopbridge demo

# Folds functions with the same code into one, and leaves out sections that nothing reads.
SMALLER = -Xswiftc -use-ld=lld -Xlinker --icf=all -Xlinker --no-eh-frame-hdr -Xlinker -T -Xlinker $(CURDIR)/scripts/static.ld

dist: setup ## Build dist/loopbridge: one static, stripped file
	$(SWIFT) build -c release --product loopbridge --scratch-path .build-static -Xswiftc -static-executable $(SMALLER)
	@mkdir -p dist
# Left alone where nothing has changed, and replaced in one step: tests may be running it.
	@[ dist/loopbridge -nt .build-static/release/loopbridge ] || \
		{ strip -o dist/loopbridge.new .build-static/release/loopbridge && mv dist/loopbridge.new dist/loopbridge; }
	@ls -l dist/loopbridge

build: setup ## Build for debugging
	$(SWIFT) build

test: dist setup-tests ## Run all tests, the integration tests on dist/loopbridge
	$(SWIFT) build --build-tests
	SWIFT=$(SWIFT) $(ON_DIST) scripts/test-all -q

test-unit: setup ## Run the unit tests
	SWIFT=$(SWIFT) scripts/test-units

test-integration: dist setup-tests ## Run the integration tests on dist/loopbridge
	$(SWIFT) build --product HTTP1Probe
	$(ON_DIST) scripts/test-integration -q

test-container: setup-containers ## Run the container tests on the Dockerfile's image
	/usr/bin/python3 -m pytest -q Tests/ContainerTests

TEST_FAULTS = $(AS_ROOT) /usr/bin/python3 Tests/FaultTests

test-faults: dist setup-tests ## Make every system call fail under traffic, HAProxy's too (half an hour); FAULTS='--scenario tcp' tries a part
	$(TEST_FAULTS) $(if $(FAULTS),$(FAULTS),--peer)

test-faults-quick: dist setup-tests ## Make each system call fail once and always (2 minutes)
	$(TEST_FAULTS) --quick $(FAULTS)

# Runs all tests under a sanitizer ($(1)).
define TEST_ALL_UNDER
	SWIFT=$(SWIFT) scripts/test-units --sanitize=$(1) --scratch-path .build-$(1)
	$(SWIFT) build --sanitize=$(1) --scratch-path .build-$(1)
	HTTP1_PROBE=.build-$(1)/debug/HTTP1Probe LOOPBRIDGE_PROGRAM=.build-$(1)/debug/loopbridge LOOPBRIDGE_SANITIZED=1 LANES=1 \
		scripts/test-integration -q
endef

# Without this, the program would wait for a second at its end, which tests would take for a hang.
test-tsan: export TSAN_OPTIONS ?= atexit_sleep_ms=0
test-tsan: setup setup-tests ## Run all tests under the thread sanitizer
	$(call TEST_ALL_UNDER,thread)

# The test runner leaks a few hundred bytes itself, which would fail every run.
test-asan: export ASAN_OPTIONS ?= detect_leaks=0
test-asan: setup setup-tests ## Run all tests under the address sanitizer
	$(call TEST_ALL_UNDER,address)

# Runs everything at once, and judges by its bars. The figures are kept in .build-soak.
soak: dist setup-tests test-soak ## Carry all protocols through chaos for 30 minutes; MINUTES=3, LOSS=0.5, SEED=7, RATE=2
	$(AS_ROOT) Tests/Soak/soak.py --program dist/loopbridge --minutes $(or $(MINUTES),30) --loss $(or $(LOSS),0) \
		$(if $(SEED),--seed $(SEED)) --rate $(or $(RATE),1) $(ARGUMENTS)

test-soak: setup-tests
	/usr/bin/python3 -m pytest -q -p no:cacheprovider Tests/Soak

soak-peer: setup-tests ## The same for HAProxy, as far as it can
	$(AS_ROOT) Tests/Soak/soak.py --haproxy --minutes $(or $(MINUTES),30) --loss $(or $(LOSS),0) $(if $(SEED),--seed $(SEED)) \
		--rate $(or $(RATE),1) $(ARGUMENTS)

# The files that CI has time for: threads meet where everything happens at once, and memory is handled by hand most where streams end.
THREADS_MEET = Tests/IntegrationTests/tcp/test_chaos.py Tests/IntegrationTests/http/test_http_chaos.py
MEMORY_IS_HANDLED = Tests/IntegrationTests/tls/test_tls.py Tests/IntegrationTests/tcp/test_last_words.py \
	Tests/IntegrationTests/admin/test_admin_endings.py

# Runs files of tests ($(2)) under a sanitizer ($(1)).
define TEST_UNDER
	$(SWIFT) build --sanitize=$(1) --scratch-path .build-$(1) --product loopbridge
	ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=atexit_sleep_ms=0 LOOPBRIDGE_CHAOS_SECONDS=3 LOOPBRIDGE_SANITIZED=1 \
		LOOPBRIDGE_PROGRAM=.build-$(1)/debug/loopbridge /usr/bin/python3 -m pytest -q -p no:cacheprovider $(2)
endef

test-sanitizers-quick: setup setup-tests ## Run a part of the integration tests under each sanitizer (5 minutes)
	$(call TEST_UNDER,thread,$(THREADS_MEET))
	$(call TEST_UNDER,address,$(MEMORY_IS_HANDLED))

BUILD_FUZZERS = $(SWIFT) build -c release --package-path Tests/Fuzz --scratch-path .build-fuzz \
	-Xswiftc -sanitize=fuzzer,address

# The inputs that it finds are kept in .build-fuzz, and those that make the loader fail.
fuzz-config: setup ## Fuzz the configuration loader; FUZZ_SECONDS=60 runs for less than 10 minutes
	$(BUILD_FUZZERS) --product FuzzConfiguration
	mkdir -p .build-fuzz/corpus
	ASAN_OPTIONS=detect_leaks=0 .build-fuzz/release/FuzzConfiguration -max_total_time=$(or $(FUZZ_SECONDS),600) \
		-timeout=10 -rss_limit_mb=1024 -max_len=4096 -artifact_prefix=.build-fuzz/ -print_final_stats=1 \
		-dict=Tests/Fuzz/configuration.dict \
		.build-fuzz/corpus Tests/Fuzz/Corpus

fuzz-http: setup ## Fuzz the HTTP parsers, each for 10 minutes; FUZZ_SECONDS=60 runs for less
	for fuzzer in FuzzRequestHead FuzzResponseHead FuzzChunkedBody; do $(BUILD_FUZZERS) --product $$fuzzer || exit 1; done
	$(call FUZZ_HTTP,FuzzRequestHead,requests)
	$(call FUZZ_HTTP,FuzzResponseHead,responses)
	$(call FUZZ_HTTP,FuzzChunkedBody,chunked)

# Runs a fuzzer ($(1)) from a corpus ($(2)).
define FUZZ_HTTP
	mkdir -p .build-fuzz/corpus-$(2)
	ASAN_OPTIONS=detect_leaks=0 .build-fuzz/release/$(1) -max_total_time=$(or $(FUZZ_SECONDS),600) -timeout=10 \
		-rss_limit_mb=1024 -max_len=4096 -artifact_prefix=.build-fuzz/$(2)- -print_final_stats=1 \
		-dict=Tests/Fuzz/http.dict .build-fuzz/corpus-$(2) Tests/Fuzz/HTTPCorpus/$(2)
endef

fuzz-proxy: setup ## Fuzz the parser of PROXY headers for 10 minutes; FUZZ_SECONDS=60 runs for less
	$(BUILD_FUZZERS) --product FuzzProxyHeader
	mkdir -p .build-fuzz/corpus-proxy
	ASAN_OPTIONS=detect_leaks=0 .build-fuzz/release/FuzzProxyHeader -max_total_time=$(or $(FUZZ_SECONDS),600) -timeout=10 \
		-rss_limit_mb=1024 -max_len=4096 -artifact_prefix=.build-fuzz/proxy- -print_final_stats=1 \
		-dict=Tests/Fuzz/proxy.dict .build-fuzz/corpus-proxy Tests/Fuzz/ProxyCorpus

bench-micro: setup ## Benchmark the copy loop and the connection pool; FILTER='bulk, TCP, 1 stream.*' runs a part
	$(SWIFT) package --package-path benchmarks benchmark --no-progress --grouping metric \
		--filter '$(or $(FILTER),.*)' </dev/null

bench: dist build-bench ## Compare with other proxies (40 minutes); ARGUMENTS='--only nginx' compares with some
	$(AS_ROOT) benchmarks/.build/$(BENCH_CONFIGURATION)/compare $(ARGUMENTS)

bench-quick: dist build-bench ## See that every part of the comparison works (3 minutes)
	$(AS_ROOT) benchmarks/.build/$(BENCH_CONFIGURATION)/compare --quick --output benchmarks/results/quick

# valgrind cannot read Swift's debugging information.
bench-instructions: setup setup-bench ## Count instructions per request; PROGRAMS='before after' compares two programs
	mkdir -p .build-instructions/this
	$(if $(PROGRAMS),,$(SWIFT) build -c release --product loopbridge && \
		strip -g -o .build-instructions/this/loopbridge .build/release/loopbridge)
	benchmarks/instructions.py $(or $(PROGRAMS),.build-instructions/this/loopbridge) $(ARGUMENTS)

bench-threats: dist setup-tests ## Measure what hostile clients cost: memory, processor time, bytes (2 minutes)
	$(AS_ROOT) benchmarks/threats.py dist/loopbridge $(ARGUMENTS)

test-bench: setup setup-tests build-bench ## Run the tests of the comparison and of the limit
	$(SWIFT) test --package-path benchmarks
	LIMIT_PROGRAM=$(CURDIR)/benchmarks/.build/release/limit \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider benchmarks/Tests

format: ## Format the sources
	$(SWIFT) format format --in-place --recursive $(SWIFT_SOURCES)

lint: ## Say where the format is off, and which paths in the documents lead nowhere
	$(SWIFT) format lint --strict --recursive $(SWIFT_SOURCES)
	scripts/check-paths

clean: ## Remove everything that was built
	rm -rf .build .build-* dist benchmarks/.build benchmarks/results

setup:
	@scripts/install-packages build

setup-tests:
	@scripts/install-packages tests

setup-containers:
	@scripts/install-packages containers

setup-bench:
	@scripts/install-packages bench

build-bench: setup setup-bench
	$(SWIFT) build -c $(BENCH_CONFIGURATION) --package-path benchmarks --product compare
	$(SWIFT) build -c release --package-path benchmarks --product limit
