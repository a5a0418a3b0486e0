# Two commands do everything: `make serve` and `make test`. Both install what is missing.
.PHONY: help setup native build venv serve test test-cargo test-tools contract fuzz worker
step := make/step.sh

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

serve: build ## serve predictions on 127.0.0.1:8080, trained on the measurements in datasets/
	@make/serve.sh

test: build test-tools ## check everything; LONG=1, as CI does, also by what takes long
	@$(step) "formatting" cargo fmt --all --check
	@$(step) "lints" cargo clippy --release --locked --workspace --all-targets -- -D warnings
	@$(step) "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --workspace
	@$(step) "licences, sources, advisories" make/deny.sh
	@$(step) "plugins that tests load" cargo build --release --locked --workspace
	@$(step) "examples in the documentation" cargo test --release --locked --doc -p lglp-sdk
	@$(step) "tests" cargo nextest run --release --locked --workspace --no-fail-fast $(if $(LONG),--run-ignored all)
	$(if $(LONG),@$(step) "contract" tests/contract/run.sh)

# Two plugins are linked with native libraries; the others look for theirs when they are loaded.
linked := lightgbm lstm
test-cargo: ## run the tests that need neither native libraries nor Python
	@$(step) "test tools" make/nextest.sh
	@$(step) "build" make/build.sh $(linked)
	@$(step) "plugins that tests load" cargo build --release --locked --workspace $(linked:%=--exclude 'lglp-plugin-%*')
	@$(step) "tests" cargo nextest run --profile cargo --release --locked --workspace $(linked:%=--exclude 'lglp-plugin-%*') --no-fail-fast

contract: build venv ## try every call of the contract with each role; EXAMPLES=500 looks deeper
	@$(step) "contract" tests/contract/run.sh

fuzz: ## fuzz every reader of what comes from outside, a minute each
	@make/fuzz.sh

worker: native ## pack what a machine needs to measure for a server: target/lglp-worker-x86_64.tar.gz
	@$(step) "worker" make/worker.sh

setup: ## install by name what the build needs
	@$(step) "set-up" make/setup.sh

native: setup ## install the pinned native libraries in .native/
	@$(step) "native libraries" native/install.sh

build: native ## build the server and every plugin
	@$(step) "build" make/build.sh

venv: setup ## install the Python packages that tests compare with in .venv/
	@$(step) "test references" tests/install.sh

test-tools: venv ## install what only the tests need
	@$(step) "test tools" make/test-tools.sh
