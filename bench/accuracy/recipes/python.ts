// Environments of Python: by pip, and by conda's rules.
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { named, type Named } from '../named.ts'
import { type Recipe, rowsOf, shell } from '../recipe.ts'
import type { Listed } from '../score.ts'

export const python: readonly Recipe[] = [
  {
    name: 'python',
    what: 'a virtual environment with wheels: `pip list`',
    async make({ layer }) {
      const root = await layer()
      const wanted =
        'requests==2.28.1 flask==2.0.3 numpy==1.26.4 zope.interface==6.0 ruamel.yaml==0.17.21 Django==3.2.1 cryptography==41.0.1'
      const venv = await environment(root, wanted)
      return { packages: await pip(venv), either: await besides(venv) }
    },
  },
  {
    name: 'python-wide',
    what: 'the same with Jupyter, Ansible, Celery, the SDK of AWS and others: `pip list`',
    async make({ layer }) {
      const venv = await environment(
        await layer(),
        'jupyterlab==4.0.2 ansible-core==2.15.1 celery==5.3.1 boto3==1.26.160 pandas==2.0.2 mypy==1.4.0',
      )
      return { packages: await pip(venv), either: await besides(venv) }
    },
  },
  {
    name: 'conda',
    what: 'a conda base environment, laid by rattler from packages of our own, and wheels by pip in it: `rattler`’s records, `pip list`',
    async make({ layer, work }) {
      const root = await layer()
      await writeFile(join(work, 'conda.py'), condaScript)
      await shell('python3 -m venv venv && venv/bin/pip install --quiet py-rattler==0.28.0 && venv/bin/python conda.py "$PREFIX"', work, {
        PREFIX: join(root, 'opt', 'conda'),
      })
      const brought = rowsOf(await shell('cat listed.tsv', work)).map(([name = '', version = '', python = '']): Listed => {
        const pack = named('conda', name, version)
        return python === '' ? pack : { ...pack, or: [named('pypi', python, version)] }
      })
      const site = join(root, 'opt', 'conda', 'lib', 'python3.11', 'site-packages')
      await shell('venv/bin/pip install --quiet --no-deps --target "$SITE" idna==3.4 requests==2.28.1', work, { SITE: site })
      const listed = await shell('venv/bin/pip list --path "$SITE" --format json', work, { SITE: site })
      const fromConda = new Set(brought.flatMap(({ or = [] }) => or.map(({ name }) => name)))
      const byPip = (JSON.parse(listed) as { name: string; version: string }[]).map(({ name, version }) => named('pypi', name, version))
      return { packages: [...brought, ...byPip.filter(({ name }) => !fromConda.has(name))] }
    },
  },
]

/**
 * What wheels bring and pip does not list: libraries of Rust, and with them its standard library, by the compiler's name that
 * stands in them; and packages that another carries for itself in a `_vendor` folder.
 */
async function besides(venv: string): Promise<Named[]> {
  const compilers = await shell("grep -raohE 'rustc version [0-9.]+' . | sort -u || true", venv)
  const carried = await shell("find . -path '*/_vendor/*.dist-info' -printf '%f\\n' | sort -u", venv)
  return [
    ...compilers
      .split('\n')
      .flatMap((line) => /[\d.]+$/.exec(line) ?? [])
      .map((version) => named('cargo', 'std', version)),
    ...[...carried.matchAll(/^(.+)-([^-]+)\.dist-info$/gm)].map(([, name = '', version = '']) => named('pypi', name, version)),
  ]
}

/** Out: the environment’s folder. */
export async function environment(root: string, wanted: string): Promise<string> {
  const folder = join(root, 'opt', 'venv')
  await shell('mkdir -p opt && python3 -m venv opt/venv', root)
  await shell(`bin/pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: ${wanted}`, folder)
  return folder
}

export async function pip(folder: string): Promise<Listed[]> {
  const printed = await shell('bin/pip list --disable-pip-version-check --format json', folder)
  return (JSON.parse(printed) as { name: string; version: string }[]).map(({ name, version }) => named('pypi', name, version))
}

/** A channel of packages of our own in a folder, installed by rattler; then what its own reader of records lists. */
const condaScript = `
import asyncio, hashlib, io, json, pathlib, sys, tarfile
import rattler
prefix, channel = pathlib.Path(sys.argv[1]), pathlib.Path('channel')
wanted = [  # name, version, name of the Python package in it
    ('openssl', '3.0.8', None), ('zlib', '1.2.13', None), ('ca-certificates', '2023.08.22', None), ('_libgcc_mutex', '0.1', None),
    ('python', '3.11.7', None), ('made-library', '2.4.1', 'made.library'), ('made_other', '0.9', 'made_other'),
]
made = {}
for name, version, python in wanted:
    folder = channel / ('noarch' if python else 'linux-64')
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f'{name}-{version}-0.tar.bz2'
    index = {'name': name, 'version': version, 'build': '0', 'build_number': 0, 'depends': ['python'] if python else [],
             'arch': None if python else 'x86_64', 'subdir': folder.name, 'license': 'MIT'}
    files = {f'share/{name}/note.txt': name.encode()}
    if python:
        index['noarch'] = 'python'
        metadata = f'Metadata-Version: 2.1\\nName: {python}\\nVersion: {version}\\n'.encode()
        files = {f'site-packages/{python.replace("-", "_")}-{version}.dist-info/METADATA': metadata}
    paths = [{'_path': path, 'path_type': 'hardlink', 'sha256': hashlib.sha256(data).hexdigest(), 'size_in_bytes': len(data)}
             for path, data in files.items()]
    info = {'info/index.json': index, 'info/paths.json': {'paths': paths, 'paths_version': 1}}
    if python:
        info['info/link.json'] = {'noarch': {'type': 'python'}, 'package_metadata_version': 1}
    with tarfile.open(file, 'w:bz2') as archive:
        for path, data in [(p, json.dumps(d).encode()) for p, d in info.items()] + list(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    made.setdefault(folder.name, {})[file.name] = {**index, 'md5': hashlib.md5(file.read_bytes()).hexdigest(),
                                                   'sha256': hashlib.sha256(file.read_bytes()).hexdigest(), 'size': file.stat().st_size}
for subdir in ('noarch', 'linux-64'):
    (channel / subdir / 'repodata.json').write_text(json.dumps({'info': {'subdir': subdir}, 'packages': made[subdir], 'packages.conda': {}}))

async def install():
    platforms = [rattler.Platform('noarch'), rattler.Platform('linux-64')]
    solved = await rattler.solve([rattler.Channel(channel.absolute().as_uri())], [name for name, _, _ in wanted], platforms=platforms)
    await rattler.install(solved, prefix, cache_dir='cache', show_progress=False)

asyncio.run(install())
pythons = {name: python for name, _, python in wanted}
with open('listed.tsv', 'w') as out:
    for path in sorted((prefix / 'conda-meta').glob('*.json')):
        record = rattler.PrefixRecord.from_path(path)
        print(record.name.normalized, record.version, pythons[record.name.normalized] or '', sep='\\t', file=out)
`
