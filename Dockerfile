# The product with its demonstration model. Built from the same pins as `make setup`; the image holds no build tools.
#   docker build -t callcenter .
#   docker run -p 8080:8080 -v callcenter:/var/lib/callcenter -v ./callcenter.toml:/var/lib/callcenter/callcenter.toml:ro callcenter
# deploy/replay-dockerfile.sh runs these very instructions without a container engine.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/build.txt requirements/base.txt requirements/
RUN python3 -m venv /opt/build && python3 -m venv /opt/callcenter \
 && for venv in build callcenter; do /opt/$venv/bin/pip install -q --no-cache-dir --require-hashes -r requirements/build.txt || exit 1; done
RUN /opt/callcenter/bin/pip install -q --no-cache-dir --require-hashes --no-build-isolation --use-pep517 -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY callcenter callcenter
RUN /opt/build/bin/hatchling build -t wheel -d dist \
 && /opt/callcenter/bin/pip install -q --no-cache-dir --no-index --no-deps dist/callcenter-*.whl \
 && /opt/callcenter/bin/pip uninstall -q -y hatchling editables setuptools trove-classifiers pathspec \
 && /opt/callcenter/bin/pip check \
 && /opt/callcenter/bin/pip uninstall -q -y pip

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --home-dir /var/lib/callcenter --create-home --shell /usr/sbin/nologin callcenter \
 && install -d -o callcenter -g callcenter /var/lib/callcenter-prompts
COPY --from=build /opt/callcenter /opt/callcenter
COPY models /usr/share/callcenter/models
COPY deploy/callcenter.example.toml LICENSE /usr/share/callcenter/
ENV PATH=/opt/callcenter/bin:/usr/local/bin:/usr/bin:/bin
ENV PYTHONUNBUFFERED=1
ENV CALLCENTER_SERVER__HOST=0.0.0.0
ENV CALLCENTER_SERVER__PORT=8080
ENV CALLCENTER_SERVER__DATA_DIR=/var/lib/callcenter
ENV CALLCENTER_SPEECH__MODELS_DIR=/usr/share/callcenter/models
ENV CALLCENTER_LOG__FORMAT=json
WORKDIR /var/lib/callcenter
USER callcenter
VOLUME /var/lib/callcenter
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD python3 -c "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['CALLCENTER_SERVER__PORT'] + '/healthz', timeout=4)"
CMD callcenter migrate; exec callcenter serve
