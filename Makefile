# Two commands matter: `make run` and `make test`. All of them need only Python 3.11 or newer.

PYTHON ?= python3
HERE = $(PYTHON) -m core.base.bootstrap

.DEFAULT_GOAL := help
.PHONY: help run test bench lint shell reset messages lock

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

run:  ## start everything here: PORT=8000 HOST=127.0.0.1 DATABASE_URL= REDIS_URL= DEMO=yes
	@$(HERE) core.base.stack run

test:  ## everything CI checks; with ARGS="tests/ledger -k word" only these tests
	@$(HERE) --dev tests $(ARGS)

bench:  ## every benchmark, or NAME=labels; sizes by N=
	@$(HERE) --dev benchmarks

lint:  ## style, types and import directions, without tests
	@$(HERE) --dev tests --lint

shell:  ## a Python shell with the database at hand
	@$(HERE) core.base.stack exec .venv/bin/python manage.py shell

reset:  ## forget all data; the next start begins anew
	@$(HERE) core.base.stack reset

messages:  ## bring the catalogues in locale/ in step with the code
	@$(HERE) core.base.stack exec .venv/bin/python manage.py update_translations

lock:  ## compile requirements/*.in into locked, hashed files; with UPGRADE=--upgrade to the newest
	@$(HERE) uv --version
	@for name in tools base embedded token dev; do \
		.venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-annotate --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE) \
			requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done
