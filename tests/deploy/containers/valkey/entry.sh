#!/bin/sh
# As the image of valkey/valkey does: the server is not root's, and protected mode is off.
if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  chown -R valkey /data
  exec setpriv --reuid valkey --regid valkey --clear-groups "$@" --protected-mode no
fi
exec "$@"
