FROM python:3.13-slim-trixie AS build

WORKDIR /build
RUN pip install --no-cache-dir --root-user-action=ignore uv==0.13.9
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
COPY requirements.lock ./
RUN uv venv /setten \
 && uv pip install --python /setten --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY channels channels
COPY classifier classifier
COPY templates templates
RUN uv pip install --python /setten --no-deps .


FROM python:3.13-slim-trixie

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin setten \
 && install --directory --owner=setten --group=setten --mode=0700 /data
COPY --from=build /setten /setten

ENV PATH=/setten/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SETTEN_DATA_DIR=/data
USER setten
WORKDIR /data
VOLUME /data
EXPOSE 8000

# Asked directly, past any proxy the environment names.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('SETTEN_PORT', '8000') + '/healthz', timeout=4)"]

# A container's loopback is reachable from nowhere else, so here Setten listens on every address;
# what the world may reach is what you publish.
CMD ["setten", "serve", "--host", "0.0.0.0"]
