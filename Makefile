# Every target makes its environment first: uv (in build/uv where the machine has none), then the
# locked packages in .venv.

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo build/uv/bin/uv)
RUN := $(UV) run --no-sync

.PHONY: demo test check models clean environment

demo: environment ## render an hour-long film, index it, ask it questions
	$(RUN) longshot demo run --out build/demo

test: environment ## the fast tests
	$(RUN) pytest -m "not slow"

check: environment ## format, lint, types, slow tests
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) pytest -m slow

# glibc hands every large tensor back to the kernel, which gives it out zeroed again: two fifths of
# the time of a training step. Kept, it costs nothing.
models: environment ## train the embedded models again; goes on where it was stopped
	MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 $(RUN) python -m demo.train

clean: ## what was built, but not the environment
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

environment: $(filter build/uv/bin/uv,$(UV))
	$(UV) sync --locked --quiet

# Systems that keep pip from their own Python allow a venv; one without venv allows --target.
build/uv/bin/uv:
	mkdir -p build
	python3 -m venv build/uv && build/uv/bin/python -m pip install --quiet uv \
		|| { rm -rf build/uv && python3 -m pip install --quiet --target build/uv uv; }
