# The one image of all processes: docker-compose.yml says which command each runs. Everything that is installed is checked against the hashes
# of requirements.txt, nothing is compiled, and no secret is in it: they come as files or variables when a container starts.
ARG PYTHON_IMAGE=python:3.13.7-slim-bookworm

FROM ${PYTHON_IMAGE} AS installed
COPY requirements.txt /
RUN python -m venv /opt/crossbook \
    && /opt/crossbook/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r /requirements.txt

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/crossbook/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VAR_DIR=/tmp/crossbook
# The user may write nowhere but in /tmp and, for the simulated exchanges, in a volume.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin crossbook \
    && install -d -m 0700 -o crossbook -g crossbook /var/lib/crossbook
WORKDIR /srv/crossbook
COPY --from=installed /opt/crossbook /opt/crossbook
COPY . .
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "dashboard.serve", "-b", "0.0.0.0", "-p", "8000", "-v", "0"]
