# The application and the small programs of compose/ in one image: no compiler, no shell needed, no secret, no root.
FROM python:3.12.13-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1

RUN python -m venv /opt/scriptorium
# The lock alone first: its layer is made again only when a dependency changes.  Wheels only, each held against its hash.
COPY requirements/app.txt /src/requirements/app.txt
RUN /opt/scriptorium/bin/pip install --require-hashes --no-deps --only-binary :all: --requirement /src/requirements/app.txt

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY app app
COPY vault vault
COPY compose compose
RUN /opt/scriptorium/bin/pip install --no-deps --no-build-isolation --no-index --editable . \
    && /opt/scriptorium/bin/python -m compileall -q /opt/scriptorium /src \
    && /opt/scriptorium/bin/pip uninstall --yes pip


FROM python:3.12.13-slim-trixie

LABEL org.opencontainers.image.title="Scriptorium" \
      org.opencontainers.image.description="A self-hosted editorial platform with a guarded door" \
      org.opencontainers.image.licenses="MIT"

ENV PATH=/opt/scriptorium/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1

RUN groupadd --gid 10001 scriptorium \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin scriptorium \
    && pip uninstall --yes pip

COPY --from=build /opt/scriptorium /opt/scriptorium
COPY --from=build /src /src

USER 10001:10001
WORKDIR /src
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=150s --retries=3 CMD ["python", "-m", "compose.healthcheck"]

ENTRYPOINT ["scriptorium"]
CMD ["serve"]
