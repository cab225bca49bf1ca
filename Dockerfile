# The service from wheels alone, as an ordinary user.
FROM python:3.11-slim-trixie
# pg_dump and pg_restore, of the version of the compose file's servers, for `abri backup` and `abri restore`.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/abri
COPY requirements/run.txt requirements/run.txt
RUN python -m pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/run.txt
COPY . .
RUN python -m pip install --no-cache-dir --no-build-isolation --no-deps -e . \
    && python -m vault.assets.build \
    && useradd --system --uid 10001 --home-dir /var/lib/abri --create-home abri
USER abri
ENTRYPOINT ["abri"]
CMD ["serve"]
