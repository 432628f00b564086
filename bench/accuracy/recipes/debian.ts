// Debian by debootstrap, from its own default mirror; the interpreters in it list what Debian brought of their languages.
import { join } from 'node:path'
import { named } from '../named.ts'
import { type Recipe, rowsOf, shell } from '../recipe.ts'
import type { Listed } from '../score.ts'

export const debian: readonly Recipe[] = [
  {
    name: 'debian-bookworm',
    what: 'Debian 12 with Python, Ruby and R packages of its own: `dpkg-query`, `pip list`, `gem list`, `installed.packages()`',
    async make({ layer }) {
      const root = await layer()
      const wanted = 'ca-certificates,curl,perl,python3-requests,python3-pip,python3-flask,ruby,ruby-rack,ruby-nokogiri,r-cran-jsonlite'
      await debootstrap('bookworm', wanted, root)
      const packages = [...(await dpkg(root)), ...(await pipIn(root)), ...(await gemsIn(root)), ...(await libraryIn(root))]
      await leave(root)
      return { packages }
    },
  },
  {
    name: 'debian-trixie',
    what: 'Debian 13 with Python packages of its own: `dpkg-query`, `pip list`',
    async make({ layer }) {
      const root = await layer()
      await debootstrap('trixie', 'ca-certificates,openssl,python3-yaml,python3-pip', root)
      const packages = [...(await dpkg(root)), ...(await pipIn(root))]
      await leave(root)
      return { packages }
    },
  },
]

async function debootstrap(release: string, wanted: string, root: string): Promise<void> {
  await shell(
    `debootstrap --variant=minbase --include=${wanted} ${release} "$ROOT" > "$ROOT.log" || { tail -3 "$ROOT/debootstrap/debootstrap.log" >&2; exit 1; }`,
    join(root, '..'),
    { ROOT: root },
  )
}

/** What the image of a package manager's run does not keep. */
async function leave(root: string): Promise<void> {
  await shell('rm -rf var/cache/apt var/lib/apt/lists root/.cache', root)
}

/** Installed is what has its files: a package that was removed and left its settings is none. */
async function dpkg(root: string): Promise<Listed[]> {
  const format = '${db:Status-Status}\\t${Package}\\t${Version}\\n'
  const rows = rowsOf(await shell(`dpkg-query --admindir=var/lib/dpkg -W -f='${format}'`, root))
  return rows.flatMap(([status, name = '', version = '']) => (status === 'installed' ? [named('deb', name, version)] : []))
}

async function pipIn(root: string): Promise<Listed[]> {
  const list = JSON.parse(await shell('chroot . python3 -m pip list --format json', root)) as { name: string; version: string }[]
  return list.map(({ name, version }) => named('pypi', name, version))
}

/** `NAME (default: 1.0, 0.9)`. */
async function gemsIn(root: string): Promise<Listed[]> {
  return gemList(await shell('chroot . gem list --local --quiet', root))
}

export function gemList(text: string): Listed[] {
  return text.split('\n').flatMap((line) => {
    const [, name, versions] = /^(\S+) \((.+)\)$/.exec(line) ?? []
    if (name === undefined || versions === undefined) return []
    return versions.split(', ').map((version) => named('gem', name, version.replace('default: ', '').split(' ')[0] ?? ''))
  })
}

async function libraryIn(root: string): Promise<Listed[]> {
  const script =
    'write.table(installed.packages()[, c("Package", "Version")], sep = "\\t", quote = FALSE, row.names = FALSE, col.names = FALSE)'
  return rowsOf(await shell(`chroot . Rscript -e '${script}'`, root)).map(([name = '', version = '']) => named('cran', name, version))
}
