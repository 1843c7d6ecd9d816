#!/usr/bin/env python3
"""Writes what programs are made of, as CycloneDX 1.4 JSON: the shared libraries that they load here and
the headers and sources that were compiled into them, each with Debian's package and version.

sbom.py --build FOLDER [--out FILE] PROGRAM…      (programs of FOLDER/bin; FILE: standard output)

The same build gives the same bytes. 1: something belongs to no package, and is named.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse
import uuid

# Objects of our programs, by the place of their targets; everything else is tests.
OURS = re.compile(r"(CMakeFiles|proxy|shifter|f29svc)/")
FIELDS = "${binary:Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n"


def run(*words, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"sbom: {words[0]}: {done.stderr.strip()}")
    return done.stdout


def loaded(program):
    """Paths of the shared libraries, without the loader and the kernel's."""
    return sorted({pathlib.Path(path).resolve() for path in
                   re.findall(r"=> (/\S+)", run("ldd", program))})


def compiled(build):
    """Files of the system that objects of our programs were compiled from."""
    found, ours = set(), False
    for line in run("ninja", "-C", build, "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            ours = bool(OURS.match(line))
        elif ours and line.strip().startswith("/usr/"):
            found.add(pathlib.Path(line.strip()).resolve())
    # Sources of the system are objects themselves.
    commands = json.loads((build / "compile_commands.json").read_text())
    found |= {pathlib.Path(one["file"]) for one in commands if one["file"].startswith("/usr/")}
    return sorted(found)


def packages_of(paths):
    """{path: package}; a path is asked for as it is and as it was before /usr was merged."""
    owner = {}
    asked = [str(path) for path in paths]
    asked += [path.removeprefix("/usr") for path in asked if path.startswith("/usr/lib")]
    for begin in range(0, len(asked), 500):
        for line in run("dpkg", "-S", *asked[begin:begin + 500], check=False).splitlines():
            names, _, path = line.rpartition(": ")
            if names and not names.startswith("diversion"):
                owner[path] = names.split(",")[0].strip()
    return {path: owner.get(str(path)) or owner.get(str(path).removeprefix("/usr")) for path in paths}


def describe(names):
    """{package: (version, architecture, source, source version)}"""
    rows = (line.split("\t") for line in run("dpkg-query", "-W", "-f", FIELDS, *sorted(names)).splitlines())
    return {name.split(":")[0]: rest for name, *rest in rows}


def component(name, facts, linkage, files):
    version, arch, source, source_version = facts
    quoted = urllib.parse.quote(version, safe="")
    purl = f"pkg:deb/debian/{name}@{quoted}?arch={arch}&distro=debian-12"
    made = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "properties": [{"name": "linkage", "value": linkage},
                           {"name": "source-package", "value": f"{source} {source_version}"}]}
    if files:
        made["components"] = [
            {"type": "file", "name": path.name,
             "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]}
            for path in files]
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("programs", nargs="+")
    given = parser.parse_args()

    libraries = {program: loaded(given.build / "bin" / program) for program in given.programs}
    shared = sorted({path for paths in libraries.values() for path in paths})
    headers = compiled(given.build)
    owner = packages_of(sorted({*shared, *headers}))
    lost = [str(path) for path, package in owner.items() if package is None]
    if lost:
        print("sbom: of no package: " + ", ".join(lost[:20]), file=sys.stderr)
        return 1
    plain = {path: package.split(":")[0] for path, package in owner.items()}
    facts = describe(set(owner.values()))
    dynamic = {plain[path] for path in shared}
    components = {name: component(name, facts[name], "shared",
                                  [path for path in shared if plain[path] == name]) for name in dynamic}
    for name in {plain[path] for path in headers} - dynamic:
        components[name] = component(name, facts[name], "compiled in", [])

    version = re.search(r"VERSION (\S+)", (pathlib.Path(__file__).resolve().parents[1]
                                           / "CMakeLists.txt").read_text().split("project(")[1])[1]
    programs, depends = [], []
    compiled_in = sorted(components[plain[path]]["bom-ref"] for path in
                         {plain[one]: one for one in headers}.values())
    for name in given.programs:
        digest = hashlib.sha256((given.build / "bin" / name).read_bytes()).hexdigest()
        programs.append({"type": "application", "bom-ref": name, "name": name, "version": version,
                         "hashes": [{"alg": "SHA-256", "content": digest}]})
        depends.append({"ref": name, "dependsOn": sorted({
            *(components[plain[path]]["bom-ref"] for path in libraries[name]), *compiled_in})})
    text = json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1,
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(programs))),
        "metadata": {"component": {"type": "application", "bom-ref": "sidecar-product",
                                   "name": "sidecar", "version": version}},
        "components": programs + [components[name] for name in sorted(components)],
        "dependencies": [{"ref": "sidecar-product", "dependsOn": given.programs}, *depends]},
        indent=1) + "\n"
    if given.out:
        given.out.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
