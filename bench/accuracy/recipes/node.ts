// One application for Node.js as its package managers lay it, without running scripts of packages.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { named, type Named } from '../named.ts'
import { type Recipe, shell } from '../recipe.ts'

const manifest = {
  name: 'shop',
  version: '1.2.3',
  private: true,
  dependencies: { express: '4.17.1', resolve: '1.20.0', '@hapi/boom': '9.1.0', lodash: '4.17.20', left: 'npm:left-pad@1.3.0' },
  devDependencies: { mocha: '9.0.0' },
}
const own = named('npm', manifest.name, manifest.version)

export const node: readonly Recipe[] = [
  {
    name: 'npm',
    what: 'an npm application with its lock: `npm query "*"`',
    make: async ({ layer, work }) => byNpm(await layer(), work, false),
  },
  {
    name: 'npm-no-lock',
    what: 'the same without a lock file: `npm query "*"` before it went',
    make: async ({ layer, work }) => byNpm(await layer(), work, true),
  },
  {
    name: 'npm-wide',
    what: 'a larger one (webpack, Jest, Next.js, ESLint, AWS and others): `npm query "*"`',
    async make({ layer, work }) {
      const wanted = {
        webpack: '5.88.0',
        jest: '29.5.0',
        next: '13.4.7',
        eslint: '8.43.0',
        'aws-sdk': '2.1404.0',
        nestjs: 'npm:@nestjs/core@10.0.3',
        gulp: '4.0.2',
      }
      return byNpm(await layer(), work, false, { ...manifest, dependencies: wanted, devDependencies: {} })
    },
  },
  {
    name: 'pnpm',
    what: 'the same by pnpm: `pnpm ls --depth Infinity`',
    async make({ layer, work }) {
      const app = await applicationIn(await layer())
      await shell('npx --yes pnpm@9.15.9 install --ignore-scripts --silent', app, { HOME: work })
      const printed = await shell('npx --yes pnpm@9.15.9 ls --depth Infinity --json', app, { HOME: work })
      return { packages: thereOf((JSON.parse(printed) as PnpmNode[]).flatMap(pnpmBelow), app), either: [own] }
    },
  },
  {
    name: 'yarn',
    what: 'the same by yarn 1, without the alias: `yarn list`',
    async make({ layer, work }) {
      const { left: _, ...dependencies } = manifest.dependencies
      const app = await applicationIn(await layer(), { ...manifest, dependencies })
      await shell('npx --yes yarn@1.22.22 install --ignore-scripts --silent --non-interactive', app, { HOME: work })
      const printed = await shell('npx --yes yarn@1.22.22 list --json --silent', app, { HOME: work })
      const { data } = JSON.parse(printed) as { data: { trees: YarnNode[] } }
      return { packages: thereOf(data.trees.flatMap(yarnBelow), app), either: [own] }
    },
  },
]

async function applicationIn(root: string, about: object = manifest): Promise<string> {
  const app = join(root, 'srv', 'app')
  await shell('mkdir -p srv/app', root)
  await writeFile(join(app, 'package.json'), JSON.stringify(about, null, 2))
  return app
}

async function byNpm(root: string, work: string, removesLock: boolean, about: object = manifest) {
  const app = await applicationIn(root, about)
  await shell('npm install --ignore-scripts --no-audit --no-fund --silent', app, { HOME: work })
  const nodes = JSON.parse(await shell("npm query '*'", app, { HOME: work })) as { name: string; version: string; location: string }[]
  const installed = nodes.filter(({ location }) => location !== '')
  if (removesLock) await shell('rm package-lock.json node_modules/.package-lock.json', app)
  return { packages: installed.map(({ name, version }) => named('npm', name, version)), either: [own] }
}

/** Their lists name what another platform would get, too: fsevents, for macOS. */
function thereOf(listed: readonly Named[], app: string): Named[] {
  const modules = join(app, 'node_modules')
  return listed.filter(
    ({ name, version }) =>
      name !== 'fsevents' ||
      existsSync(join(modules, name)) ||
      existsSync(join(modules, '.pnpm', `${name}@${version}`, 'node_modules', name)),
  )
}

interface PnpmNode {
  from?: string
  version: string
  dependencies?: Record<string, PnpmNode>
  devDependencies?: Record<string, PnpmNode>
}

function pnpmBelow(above: PnpmNode): Named[] {
  const below = Object.entries({ ...above.dependencies, ...above.devDependencies })
  return below.flatMap(([alias, one]) => [named('npm', one.from ?? alias, one.version), ...pnpmBelow(one)])
}

interface YarnNode {
  name: string
  children?: YarnNode[]
  /** A mere reference to what stands elsewhere in the list. */
  shadow?: boolean
}

function yarnBelow({ name, children = [], shadow }: YarnNode): Named[] {
  if (shadow === true) return []
  const at = name.lastIndexOf('@')
  return [named('npm', name.slice(0, at), name.slice(at + 1)), ...children.flatMap(yarnBelow)]
}
