# The app's image with loopbridge in it; config/docker-compose.yaml builds it.
ARG LEGACY_APP=legacy-app

FROM ${LEGACY_APP}
COPY --from=loopbridge /loopbridge /loopbridge
ENTRYPOINT ["/loopbridge", "run", "--"]
# The app's own command once more: a new ENTRYPOINT makes Docker forget the CMD of the image that it is built from.
# (In the app's own Dockerfile, the two lines above are enough.) If the app has an ENTRYPOINT, that goes behind the "--".
CMD ["python3", "manage.py", "runserver", "127.0.0.1:8000"]
