"""Run as a script: `launch.py FOLDERS RULES COMMAND…` confines itself and then replaces itself by the command.

FOLDERS are those of the packages that it imports. Without a command it prints what this kernel holds. The pid that the parent
sees is the command's own. Between fork and exec of a process with threads next to nothing is safe, hence a program.
"""

import dataclasses
import json
import os
import sys

if __name__ == "__main__":
    sys.path += sys.argv[1].split(os.pathsep)
    from service.lib.sandbox.confine import SandboxLacks, confine
    from service.lib.sandbox.rules import Rules

    try:
        held = confine(Rules.of_json(sys.argv[2]))
    except SandboxLacks as error:
        raise SystemExit(f"OFFLOAD_SANDBOX=require: {error}.") from None
    if not sys.argv[3:]:
        print(json.dumps(dataclasses.asdict(held)))
        raise SystemExit
    os.execvp(sys.argv[3], sys.argv[3:])
