# make demo  - a real A/B on this machine        make test  - everything that must hold
# make setup - prepare everything                make check - lint, types, import contracts
PY := .venv/bin/python
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-harm demo-aa test test-acceptance test-kubernetes images check validate-pipelines bench bench-evaluation bench-catalog bench-loadsim bench-operator format docs clean

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.venv/local: requirements.txt requirements-local.txt pyproject.toml setup/needs.sh
	@sh setup/needs.sh demo
	@sh setup/venv.sh requirements.txt requirements-local.txt
	@touch $@

.venv/dev: .venv/local requirements-dev.txt requirements-operators.txt
	@sh setup/needs.sh test
	@sh setup/venv.sh requirements.txt requirements-local.txt requirements-dev.txt requirements-operators.txt
	@touch $@

.venv/binaries: .venv/local $(wildcard collector/*/go.mod collector/*/go.sum collector/*/manifest.yaml)
	@$(PY) -m phoenix_cli.binaries
	@touch $@

setup: .venv/dev .venv/binaries .tools/bin/dynoxide .tools/bin/prometheus  ## prepare everything: virtual environment, collector, test engine

.tools/bin/dynoxide:
	@sh setup/dynoxide.sh

.tools/bin/prometheus .tools/bin/promtool &:
	@sh setup/prometheus.sh

.tools/bin/helm:
	@sh setup/helm.sh

.tools/bin/kubeconform:
	@sh setup/kubeconform.sh

.tools/monitoring: setup/monitoring.sh
	@sh setup/monitoring.sh

demo: .venv/local  ## baseline against top-K on this machine: verdict, promotion, proof, report
	@sh setup/needs.sh demo
	@$(PY) -m phoenix_cli demo $(ARGS)

demo-harm: .venv/local  ## the same with a candidate that drops a critical process: rejected and rolled back
	@$(PY) -m phoenix_cli demo --harm --folder phoenix-demo/harm $(ARGS)

demo-aa: .venv/local  ## the same pipeline twice: never promoted
	@$(PY) -m phoenix_cli demo --aa --folder phoenix-demo/aa $(ARGS)

check: .venv/dev  ## lint, format, types, import contracts
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }

test:  ## everything that must hold; the last line counts
	@$(MAKE) --no-print-directory -j2 setup
	@$(MAKE) --no-print-directory check
	@$(PY) -m pytest tests -n 2 --no-loadscope-reorder $(ARGS)

test-kubernetes: .venv/dev .venv/binaries .tools/bin/helm .tools/bin/kubeconform .tools/bin/prometheus .tools/bin/promtool .tools/monitoring  ## everything that must hold on a real cluster of one node, as root; the first time it builds Kubernetes
	@sh setup/cluster.sh
	@bash tests/cluster/binaries.sh build > .venv/cluster.log
	@$(PY) -m pytest tests/kubernetes -n 2 --no-loadscope-reorder $(ARGS)

images: .venv/dev .venv/binaries  ## the container images of operators and collector, as docker archives in dist/
	@$(PY) -m images $(ARGS)

test-acceptance: setup  ## the acceptance tests alone, as a table
	@$(PY) -m pytest tests/acceptance $(ARGS)

validate-pipelines: .venv/local  ## validate every pipeline of the catalog, with the real collector
	@$(PY) -m phoenix_cli.local.validating $(ARGS)

bench: setup  ## measure, side by side, as tables
	@$(PY) -m bench $(ARGS)

bench-evaluation: .venv/dev  ## simulate the verdict's rule beside others: errors, power; writes the guide's tables
	@$(PY) -m bench evaluation $(ARGS)
	@$(PY) -m bench.evaluation.page

bench-stepping: setup  ## step 10 000 active experiments: seconds, requests and units a step, dollars a month
	@$(PY) -m bench stepping $(ARGS)

bench-catalog: setup  ## every pipeline beside what people use today; writes catalog/README.md (about ten minutes)
	@$(PY) -m bench catalog $(ARGS)

bench-loadsim: .venv/dev  ## simulated load: CPU at rest and under churn, rates achieved, beside stress-ng's fork stressor
	@sh setup/stress.sh
	@$(PY) -m bench loadsim $(ARGS)

bench-operator: setup  ## the operator with 1 000 resources on a real API server, beside a client-go floor; as root
	@sh setup/cluster.sh
	@bash tests/cluster/binaries.sh build > .venv/cluster.log
	@$(PY) -m bench operator $(ARGS)

docs: .venv/dev  ## regenerate the reference from the code
	@$(PY) -m docs.generate

format: .venv/dev
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

clean:  ## remove what setup and tests made here
	rm -rf .venv .tools phoenix-demo .mypy_cache .ruff_cache .hypothesis *.egg-info
