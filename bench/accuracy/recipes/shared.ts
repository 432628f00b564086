// Images and rpm databases that others made, of the shared data. Their layers are unpacked by tar and laid over each other by a
// script of a few lines, so that the manager’s own program can list what is there.
import { existsSync, readdirSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { named } from '../named.ts'
import { type Place, type Recipe, rowsOf, shell } from '../recipe.ts'
import type { Listed } from '../score.ts'

const checkout = join(import.meta.dirname, '..', '..', '..')
/** Of the shared data, which may be absent. */
export const data = join(checkout, '..', 'shared', 'data')
const recorded = join(checkout, 'src', 'inventory', 'extractors', 'rpm', 'fixtures')

/** Out: those that can be made here; the names of the others. */
export function sharedRecipes(): { there: Recipe[]; absent: string[] } {
  if (existsSync(data)) return { there: [...images, ...databases], absent: [] }
  return {
    there: databases.filter(({ name }) => name !== 'rpm-sqlite'),
    absent: [...images, { name: 'rpm-sqlite' }].map(({ name }) => name),
  }
}

const images: readonly Recipe[] = [
  image('alpine', 'alpine.tar', 'Alpine: `apk info`', listAlpine),
  image(
    'npm-modules-only',
    'npm7-with-node-modules-only.tar',
    'Node.js of Alpine and an application with nothing but `node_modules`: `npm query "*"`, `apk info`',
    listNode,
  ),
  image('node-removed', 'node-removed.tar', 'BusyBox, and a `node_modules` that a later layer removed: nothing', async () => []),
  image(
    'uberjar',
    'java-uberjar.tar',
    'jars in a jar, and one with no word but its own: `pom.properties` of all by a script, and that one',
    async (root, work) => [...(await listJars(root, work)), named('maven', 'com.google.j2objc:j2objc-annotations', '1.3')],
  ),
  image('jar-in-jar', '3-level-jar.tar', 'jars three deep: `pom.properties` of all by a script', listJars),
]

const databases: readonly Recipe[] = [
  rpm(
    'rpm-ndb',
    'SUSE: `rpm -qa`, as recorded: Debian’s rpm can’t read this form',
    'usr/lib/sysimage/rpm/Packages.db',
    'sle15-bci.ndb.zst',
    'ID="sles"\nVERSION_ID="15.4"\n',
  ),
  rpm('rpm-bdb', 'Red Hat 8: `rpm -qa`', 'var/lib/rpm/Packages', 'libuuid.bdb.zst', 'ID="rhel"\nVERSION_ID="8.5"\n'),
  rpm('rpm-sqlite', 'Mariner: `rpm -qa`', 'var/lib/rpm/rpmdb.sqlite', undefined, 'ID=mariner\nVERSION_ID="2.0"\n'),
  rpm('fedora', 'the same as a Fedora: `rpm -qa`', 'var/lib/rpm/rpmdb.sqlite', undefined, 'ID=fedora\nVERSION_ID=36\n'),
]

function image(name: string, file: string, what: string, list: (root: string, work: string) => Promise<Listed[]>): Recipe {
  return {
    name,
    what,
    async make(place) {
      const root = await laid(join(data, 'images', file), place)
      return { packages: await list(root, place.work) }
    },
  }
}

/** Out: the folder of the files as they are after the last layer. */
async function laid(archive: string, { layer, work }: Place): Promise<string> {
  await writeFile(join(work, 'layers.py'), layersScript)
  const tars = (await shell('mkdir image && tar xf "$ARCHIVE" -C image && python3 layers.py image', work, { ARCHIVE: archive }))
    .trim()
    .split('\n')
  const root = join(work, 'root')
  await mkdir(root)
  for (const [nth, tar] of tars.entries()) {
    const folder = await layer(nth)
    await shell(`tar xf "$TAR" -C "$FOLDER" 2>/dev/null`, work, { TAR: tar, FOLDER: folder })
    await shell(
      `cd "$FOLDER"
       find . -name '.wh.*' | while read -r mark; do
         name=$(basename "$mark"); above=$(dirname "$mark")
         if [ "$name" = .wh..wh..opq ]; then rm -rf "$ROOT/$above"; else rm -rf "$ROOT/$above/\${name#.wh.}"; fi
       done
       tar cf - --exclude='.wh.*' . | tar xf - -C "$ROOT" --unlink-first`,
      work,
      { FOLDER: folder, ROOT: root },
    )
  }
  return root
}

/** The layers of an archive of `docker save` or of an OCI layout, from the lowest up, uncompressed. */
const layersScript = `
import gzip, json, pathlib, sys
image = pathlib.Path(sys.argv[1])
blob = lambda digest: image / 'blobs' / digest.replace(':', '/')
if (image / 'manifest.json').exists():
    files = [image / path for path in json.load(open(image / 'manifest.json'))[0]['Layers']]
else:
    found = json.load(open(image / 'index.json'))['manifests'][0]
    manifest = json.load(open(blob(found['digest'])))
    if 'manifests' in manifest:
        manifest = json.load(open(blob(manifest['manifests'][0]['digest'])))
    files = [blob(layer['digest']) for layer in manifest['layers']]
for at, file in enumerate(files):
    content = file.read_bytes()
    plain = image.absolute() / f'plain-{at}.tar'
    plain.write_bytes(gzip.decompress(content) if content[:2] == b'\\x1f\\x8b' else content)
    print(plain)
`

async function listAlpine(root: string): Promise<Listed[]> {
  const lines = (await shell('chroot . /sbin/apk info -v 2>/dev/null', root)).split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [, name = '', version = ''] = /^(.+)-([^-]+-r\d+)$/.exec(line) ?? []
    return named('apk', name, version)
  })
}

async function listNode(root: string): Promise<Listed[]> {
  const folders = (
    await shell(`find . -name node_modules -type d -not -path '*/node_modules/*/node_modules' | sed 's,/node_modules$,,'`, root)
  ).trim()
  const found: Listed[] = await listAlpine(root)
  for (const folder of folders.split('\n').filter((line) => line !== '')) {
    const nodes = JSON.parse(await shell("npm query '*'", join(root, folder))) as { name: string; version: string; location: string }[]
    found.push(...nodes.filter(({ location }) => location !== '').map(({ name, version }) => named('npm', name, version)))
  }
  return found
}

/** Throws where there is none: then the list would say nothing. */
async function listJars(root: string, work: string): Promise<Listed[]> {
  await writeFile(join(work, 'jars.py'), jarsScript)
  const rows = rowsOf(await shell('python3 jars.py "$ROOT"', work, { ROOT: root }))
  if (rows.length === 0) throw new Error('no jar says what it is')
  return rows.map(([group, artifact, version = '']) => named('maven', `${group}:${artifact}`, version))
}

const jarsScript = `
import io, os, sys, zipfile
def walk(content):
    with zipfile.ZipFile(io.BytesIO(content)) as jar:
        for name in jar.namelist():
            if name.endswith(('.jar', '.war', '.ear')): walk(jar.read(name))
            if name.startswith('META-INF/maven/') and name.endswith('/pom.properties'):
                said = dict(line.split('=', 1) for line in jar.read(name).decode().split() if '=' in line)
                print(said['groupId'], said['artifactId'], said['version'], sep='\\t')
for folder, _, files in os.walk(sys.argv[1]):
    for file in files:
        if file.endswith(('.jar', '.war', '.ear')): walk(open(os.path.join(folder, file), 'rb').read())
`

function rpm(name: string, what: string, path: string, fixture: string | undefined, release: string): Recipe {
  return {
    name,
    what,
    async make({ layer, work }) {
      const root = await layer()
      const [file, folder] = [join(root, path), join(root, path, '..')]
      await mkdir(folder, { recursive: true })
      await mkdir(join(root, 'etc'), { recursive: true })
      await writeFile(join(root, 'etc', 'os-release'), release)
      if (fixture === undefined) await copyFile(sqliteDatabase(), file)
      else await writeFile(file, zstdDecompressSync(await readFile(join(recorded, fixture))))
      const packages = path.endsWith('.db') ? await recordedList(fixture ?? '') : await queried(folder, work, path)
      if (packages.length === 0) throw new Error('rpm lists nothing')
      return { packages }
    },
  }
}

/** rpm writes beside what it reads, so it reads a copy. */
async function queried(folder: string, work: string, path: string): Promise<Listed[]> {
  const format = '%{NAME}\\t%|EPOCH?{%{EPOCH}}:{}|\\t%{VERSION}\\t%{RELEASE}\\n'
  const backend = path.endsWith('sqlite') ? 'sqlite' : 'bdb_ro'
  const query = `cp -r "$FOLDER" db && rpm --dbpath "$PWD/db" --define '_db_backend ${backend}' -qa --qf '${format}' 2> /dev/null`
  return rpmsIn(await shell(query, work, { FOLDER: folder }))
}

async function recordedList(fixture: string): Promise<Listed[]> {
  return rpmsIn(await readFile(join(recorded, fixture.replace('.ndb.zst', '.tsv')), 'utf8'))
}

/** Keys that signatures are checked with are no packages. */
function rpmsIn(text: string): Listed[] {
  return rowsOf(text).flatMap(([name = '', epoch = '', version = '', release = '']) =>
    name === 'gpg-pubkey' ? [] : [named('rpm', name, `${/^[1-9]/.test(epoch) ? `${epoch}:` : ''}${version}-${release}`)],
  )
}

function sqliteDatabase(): string {
  const found = readdirSync(join(data, 'rpmdb'), { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('rpmdb.sqlite'))
  if (found === undefined) throw new Error(`no rpmdb.sqlite in ${join(data, 'rpmdb')}`)
  return join(data, 'rpmdb', found)
}
