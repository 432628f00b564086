import type { PackageChange } from './remedies.ts'
import type { Place } from './places.ts'

/** Who can change a package, and what is changed together with it. */
export interface Manager {
  /** Packages with the same are changed by one step. */
  unit: string
  isDistribution: boolean
  what: (packages: PackageChange[]) => string
  command: (packages: PackageChange[]) => string | undefined
}

/** Distributions: one upgrade takes all of their packages. */
const distributions: Partial<Record<string, { tool: string; command: string }>> = {
  deb: { tool: 'apt-get', command: 'apt-get update && apt-get install --only-upgrade -y' },
  apk: { tool: 'apk', command: 'apk upgrade --no-cache' },
  rpm: { tool: 'dnf', command: 'dnf upgrade -y' },
  alpm: { tool: 'pacman', command: 'pacman -Syu --noconfirm' },
  opkg: { tool: 'opkg', command: 'opkg upgrade' },
}

/** Languages whose tool takes a name and a version. */
const languages: Partial<Record<string, { tool: string; command: (name: string, version: string) => string }>> = {
  npm: { tool: 'npm', command: (name, version) => `npm install ${name}@${version}` },
  pypi: { tool: 'pip', command: (name, version) => `pip install --upgrade ${name}==${version}` },
  gem: { tool: 'gem', command: (name, version) => `gem install ${name} -v ${version}` },
  composer: { tool: 'composer', command: (name, version) => `composer require ${name}:${version}` },
  nuget: { tool: 'dotnet', command: (name, version) => `dotnet add package ${name} --version ${version}` },
  conda: { tool: 'conda', command: (name, version) => `conda install ${name}=${version}` },
}

/** What is inside of a program or an archive: that is built anew. */
const built: ReadonlySet<string> = new Set(['golang', 'cargo', 'maven', 'program', 'bitnami'])

/** A program or an archive that holds others: it is built anew as a whole. */
const archive = /^(.*?\.(?:jar|war|ear|par|hpi|jpi|aar))(?:[!:]|\/)/i

/** In: where a package is. Out: who changes it. */
export function managerOf(place: Place): Manager {
  const distribution = distributions[place.kind]
  if (distribution !== undefined) return distributionManager(place.kind, distribution.tool, distribution.command)
  const outer = archive.exec(place.path)?.[1]
  if (outer !== undefined) return rebuilt(outer)
  if (built.has(place.kind)) return rebuilt(place.path)
  const { tool, command } = languages[place.kind] ?? { tool: place.kind, command: undefined }
  return languageManager(place, tool, command)
}

function distributionManager(kind: string, tool: string, command: string): Manager {
  return {
    unit: kind,
    isDistribution: true,
    what: (packages) => `${tool} upgrade of ${counted(packages.length, 'package')}`,
    command: (packages) => `${command} ${[...new Set(packages.map(({ name }) => name))].join(' ')}`,
  }
}

function rebuilt(path: string): Manager {
  return {
    unit: `file\n${path}`,
    isDistribution: false,
    what: (packages) => `rebuild of /${path} with ${packages.map(({ name, to }) => `${name} ${to ?? ''}`.trim()).join(', ')}`,
    command: () => undefined,
  }
}

function languageManager(place: Place, tool: string, command: ((name: string, version: string) => string) | undefined): Manager {
  const { project, direct } = through(place)
  const where = project === '' ? '' : ` in /${project}`
  const isDirect = direct === undefined || direct === place.name
  return {
    unit: [place.kind, project, direct ?? place.name].join('\n'),
    isDistribution: false,
    what: (packages) =>
      isDirect && packages.length === 1
        ? `${tool}: ${place.name} ${place.version} to ${packages[0]?.to ?? ''}${where}`
        : `${tool}: a newer ${direct ?? place.name}${where}, so that ${packages.map(({ name, to }) => `${name} is ${to ?? ''}`).join(', ')}`,
    command: (packages) => (isDirect && packages.length === 1 ? command?.(place.name, packages[0]?.to ?? '') : undefined),
  }
}

/**
 * As the graph of what is there tells. Where it tells nothing: npm puts a package below the one that needs it where another version is at the top: what is at the top brings it.
 * `srv/app/node_modules/a/node_modules/b/package.json` → the project `srv/app`, and `a`.
 */
function through({ kind, path, through: told }: Place): { project: string; direct?: string } {
  const [nearest] = told ?? []
  const known = nearest?.replace(/@[^@]*$/, '')
  if (kind !== 'npm') return { project: '', ...(known !== undefined && { direct: known }) }
  const [project = '', first] = path.split(/(?:^|\/)node_modules\//)
  const direct = known ?? (first === undefined ? undefined : /^(?:@[^/]+\/)?[^/]+/.exec(first)?.[0])
  return { project, ...(direct !== undefined && { direct }) }
}

/** Names come from the image: a command is shown only where none of them could be more than a word to a shell, or a flag. */
export function isShellSafe({ name, to = '' }: PackageChange): boolean {
  return /^[A-Za-z0-9@][\w@/.:+-]{0,200}$/.test(name) && /^[\w.:+~-]{0,200}$/.test(to)
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
