# One image for web, worker, beat and the commands; docker-compose.yml says which.

FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements/tools.txt requirements/base.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/tools.txt \
    && python -m venv --without-pip /venv \
    && uv pip install --no-cache --compile-bytecode --python /venv/bin/python --require-hashes \
        -r requirements/base.txt
COPY . .
RUN /venv/bin/python -m core.base.catalogues && /venv/bin/python -m compileall -q .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --no-create-home registry \
    && install --directory --owner registry --mode 0700 /var/lib/registry
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000 \
    VAR_DIR=/var/lib/registry
WORKDIR /app
USER registry
VOLUME /var/lib/registry
EXPOSE 8000
CMD ["python", "-m", "granian", "--interface", "wsgi", "--blocking-threads", "1", "--no-ws", "config.wsgi:application"]
