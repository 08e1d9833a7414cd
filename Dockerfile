# The service: `mizzle serve`, its weights inside.
#
#   docker build -t mizzle .                                     for CPUs: the compiled engine
#   docker build -t mizzle:cuda --build-arg TORCH_BACKEND= .     for GPUs: the package index's torch, with CUDA
#   docker build -t mizzle:torch --build-arg TORCH_BACKEND=cpu . for CPUs, with torch beside the engine
#
# The package index is pip's setting: a mirror is named by --build-arg PIP_INDEX_URL=... Builds of torch for
# CPUs lie elsewhere, which uv knows (its --torch-backend). The commit is recorded with --build-arg REVISION="$(git rev-parse HEAD)".
#
# The base has a tag here, so that a build by hand has Debian's latest repairs. Where it must not change, pin it by
# its digest, as the release workflow does, which records it in the image (org.opencontainers.image.base.name):
# --build-arg PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:... (docker buildx imagetools inspect shows it)
#
# It listens on every interface of the container, so it refuses to start without API keys: mount a file of
# them and name it in MIZZLE_KEYS_FILE. Names other than localhost that it is reached by go into MIZZLE_HOSTS.
# Nothing is written but to /tmp: run it with --read-only --tmpfs /tmp --cap-drop ALL.

ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
# pip stays in an environment of its own and installs into the one that is shipped.
ENV PATH=/opt/pip/bin:$PATH PIP_PYTHON=/opt/mizzle/bin/python PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/mizzle
WORKDIR /src

# What builds and installs, by hash: pip itself, uv and setuptools. `make lock` writes this file and the others.
COPY deploy/requirements-build.txt deploy/
RUN --mount=type=cache,target=/root/.cache/pip \
    env -u PIP_PYTHON pip install --no-compile --only-binary :all: --require-hashes -r deploy/requirements-build.txt

# By hash, all but torch. What torch needs is in one of the files.
ARG TORCH_BACKEND=none
COPY deploy/requirements.txt deploy/requirements-torch.txt deploy/
RUN --mount=type=cache,target=/root/.cache/pip \
    if [ "$TORCH_BACKEND" = none ]; then locked=requirements; else locked=requirements-torch; fi \
    && pip install --no-compile --only-binary :all: --require-hashes -r "deploy/$locked.txt"

# What torch needs is there by now, but for the libraries of CUDA, which torch names itself.
ARG TORCH_SPEC=torch==2.13.0
# hadolint ignore=DL3013
RUN --mount=type=cache,target=/root/.cache/pip \
    case "$TORCH_BACKEND" in \
      none) ;; \
      "") pip install --no-compile --only-binary :all: "$TORCH_SPEC" ;; \
      *) uv pip install --no-cache --python "$PIP_PYTHON" ${PIP_INDEX_URL:+--default-index "$PIP_INDEX_URL"} \
           --torch-backend "$TORCH_BACKEND" "$TORCH_SPEC" ;; \
    esac

# The engine is compiled in this stage, by a compiler that stays in it. It is the one of the base's Debian release,
# whose signature apt checks: a version would be gone from the archive with the next repair, and a snapshot of the
# archive would do without repairs, and without mirrors.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*

COPY pyproject.toml setup.py README.md LICENSE ./
COPY sdk sdk
COPY service service
COPY model model
COPY metadata_gen metadata_gen
RUN env -u PIP_PYTHON pip wheel --no-deps --no-build-isolation --no-index -w dist . \
    && pip install --no-cache-dir --no-compile --no-deps --no-index dist/mizzle-*.whl \
    && pip check \
    && /opt/mizzle/bin/python -c 'from mizzle.model import native; raise SystemExit(native.reason())'

# Tests, headers and static libraries are a fifth of it; of torch's programs only torch_shm_manager ever runs.
# Bytecode that is not checked against its source is good whatever the dates of the files become in a copy.
# What is not compiled has the syntax of one version of Python. uv leaves a lock that everybody may write to.
RUN rm -f /opt/mizzle/.lock \
    && find /opt/mizzle -type d \( -name test -o -name tests -o -name include \) -prune -exec rm -r {} + \
    && find /opt/mizzle -type f -name '*.a' -delete \
    && find /opt/mizzle -path '*/torch/bin/*' -type f ! -name torch_shm_manager -delete \
    && find /opt/mizzle -path '*/torch/share' -prune -exec rm -r {} + \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -x '_internal/py3' /opt/mizzle/lib

FROM ${PYTHON_IMAGE}
ARG PYTHON_IMAGE
ARG VERSION=0.18.0
ARG REVISION
LABEL org.opencontainers.image.title="mizzle" \
      org.opencontainers.image.description="Mutual information with calibrated intervals, over HTTP" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
# Workers start as `python -m`, which would look for modules in the working directory first.
ENV PATH=/opt/mizzle/bin:$PATH \
    HOME=/tmp \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    MIZZLE_HOST=0.0.0.0
COPY --from=builder /opt/mizzle /opt/mizzle
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["mizzle", "healthcheck"]
ENTRYPOINT ["mizzle"]
CMD ["serve"]
