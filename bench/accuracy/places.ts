// Where scanners are known to err, each as a small image. docs/comparison.md shows what each of them says of these, and
// test/bench/places.test.ts that Lazaret is right on every one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { symlink, tarOf, type Member } from '../../src/inventory/testing/tars.ts'
import { zipOf } from '../../src/inventory/testing/zips.ts'
import { alpineBase, debianBase, type InstalledPackage } from '../../test/support/worlds.ts'
import { named } from './named.ts'
import { type Recipe, rowsOf } from './recipe.ts'
import type { Truth } from './score.ts'

interface KnownPlace extends Truth {
  name: string
  what: string
  /** From the lowest up. */
  layers: readonly Member[][]
}

const extractors = join(import.meta.dirname, '..', '..', 'src', 'inventory', 'extractors')
const fixture = (path: string) => {
  const bytes = readFileSync(join(extractors, path))
  return path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

const base: InstalledPackage[] = [
  { name: 'libc6', version: '2.36-9+deb12u4' },
  { name: 'libssl3', version: '3.0.11-1~deb12u2', source: 'openssl' },
]
const debian: Member[] = [...(Object.entries(debianBase(base)) as Member[]), symlink('etc/os-release', '../usr/lib/os-release')]
const ofDebian = base.map(({ name, version }) => named('deb', name, version))
const manifest = (name: string, version: string, folder = 'app/node_modules'): Member => [
  `${folder}/${name}/package.json`,
  JSON.stringify({ name, version, license: 'MIT', main: 'index.js' }),
]

/** File, main attributes as they are published, coordinates, version. */
const jars: readonly [file: string, words: string, coordinates: string, version: string][] = [
  [
    'tomcat-embed-el-10.1.48.jar',
    'Bundle-SymbolicName: org.apache.tomcat-embed-jasper-el\nBundle-Version: 10.1.48\nImplementation-Title: Apache Tomcat\nImplementation-Vendor: Apache Software Foundation\nImplementation-Version: 10.1.48\n',
    'org.apache.tomcat.embed:tomcat-embed-el',
    '10.1.48',
  ],
  [
    'spring-core-5.3.17.jar',
    'Implementation-Title: spring-core\nImplementation-Version: 5.3.17\nAutomatic-Module-Name: spring.core\n',
    'org.springframework:spring-core',
    '5.3.17',
  ],
  [
    'reactor-netty-http-1.0.22.jar',
    'Bundle-SymbolicName: io.projectreactor.netty.reactor-netty-http\nBundle-Version: 1.0.22\nImplementation-Title: reactor-netty-http\nImplementation-Version: 1.0.22\n',
    'io.projectreactor.netty:reactor-netty-http',
    '1.0.22',
  ],
  [
    'checker-qual-3.12.0.jar',
    'Automatic-Module-Name: org.checkerframework.checker.qual\nBundle-SymbolicName: checker-qual\nBundle-Version: 3.12.0\nImplementation-Version: 3.12.0\n',
    'org.checkerframework:checker-qual',
    '3.12.0',
  ],
]

function alpine(...names: string[]): Member[] {
  return Object.entries(alpineBase(names.map((name) => ({ name, version: '1.36.1-r29' })))) as Member[]
}

/** As conda and rattler write it. */
function record(name: string, version: string, prefix = 'opt/conda'): Member {
  const about = {
    name,
    version,
    build: '0',
    build_number: 0,
    channel: 'https://conda.example/main',
    subdir: 'linux-64',
    license: 'MIT',
    depends: [],
    files: [],
  }
  return [`${prefix}/conda-meta/${name}-${version}-0.json`, JSON.stringify(about)]
}

function depsOf(name: string, version: string): string {
  const target = {
    'shop/1.0.0': { dependencies: { [name]: version }, runtime: { 'shop.dll': {} } },
    [`${name}/${version}`]: {
      runtime: { [`lib/netstandard2.0/${name}.dll`]: { assemblyVersion: '12.0.0.0', fileVersion: '12.0.3.23909' } },
    },
  }
  return JSON.stringify({
    runtimeTarget: { name: '.NETCoreApp,Version=v6.0', signature: '' },
    targets: { '.NETCoreApp,Version=v6.0': target },
    libraries: {
      'shop/1.0.0': { type: 'project', serviceable: false, sha512: '' },
      [`${name}/${version}`]: { type: 'package', serviceable: true, sha512: '' },
    },
  })
}

const layered: KnownPlace[] = [
  {
    name: 'file-over-folder',
    what: 'a later layer has a file where the application was a folder: the folder is gone, without a whiteout',
    layers: [[...debian, manifest('lodash', '4.17.20'), manifest('minimist', '1.2.5')], [['app', 'moved']]],
    packages: ofDebian,
  },
  {
    name: 'link-over-folder',
    what: 'a later layer has a symbolic link in the place of `node_modules`',
    layers: [
      [...debian, manifest('lodash', '4.17.20'), manifest('minimist', '1.2.5')],
      [symlink('app/node_modules', '../opt/modules/node_modules'), manifest('lodash', '4.17.21', 'opt/modules/node_modules')],
    ],
    packages: [...ofDebian, named('npm', 'lodash', '4.17.21')],
  },
  {
    name: 'uninstalled',
    what: 'a later layer removed packages with the package manager',
    layers: [alpine('busybox', 'curl', 'nghttp2-libs'), alpine('busybox')],
    packages: [named('apk', 'busybox', '1.36.1-r29')],
  },
  {
    name: 'opaque-folder',
    what: 'a later layer marks the folder as opaque',
    layers: [
      [...debian, manifest('lodash', '4.17.20')],
      ['app/node_modules/.wh..wh..opq', manifest('left-pad', '1.3.0')],
    ],
    packages: [...ofDebian, named('npm', 'left-pad', '1.3.0')],
  },
]

const systems: KnownPlace[] = [
  {
    name: 'fedora-release',
    what: 'a Fedora: packages with an epoch, a `~`, a module stream',
    layers: [
      [
        ['etc/os-release', 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nVARIANT_ID=container\n'],
        ['var/lib/rpm/rpmdb.sqlite', fixture('rpm/fixtures/harbour.sqlite.zst')],
      ],
    ],
    either: [named('rpm', 'gpg-pubkey', 'fbc7f917-6b0569d4')],
    packages: rowsOf(readFileSync(join(extractors, 'rpm/fixtures/harbour.tsv'), 'utf8')).flatMap(
      ([name = '', epoch = '', version, release]) =>
        name === 'gpg-pubkey' ? [] : [named('rpm', name, `${/^[1-9]/.test(epoch) ? `${epoch}:` : ''}${version}-${release}`)],
    ),
  },
  {
    name: 'distroless',
    what: 'a Debian whose packages stand in `status.d`, a file each',
    layers: [
      [
        ['etc/os-release', 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'],
        ['etc/debian_version', '12.4\n'],
        ...base.flatMap(({ name, version }): Member[] => [
          [`var/lib/dpkg/status.d/${name}`, `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nDescription: x\n`],
          [`var/lib/dpkg/status.d/${name}.md5sums`, `d41d8cd98f00b204e9800998ecf8427e  usr/share/doc/${name}/copyright\n`],
        ]),
      ],
    ],
    packages: ofDebian,
  },
]

const languages: KnownPlace[] = [
  {
    name: 'test-folders',
    what: '`package.json` in the tests of a package',
    layers: [
      [
        ...debian,
        manifest('resolve', '1.20.0'),
        ['app/node_modules/resolve/test/resolver/multirepo/package.json', '{"name":"monorepo-symlink-test","version":"0.0.0"}'],
        [
          'app/node_modules/resolve/test/resolver/multirepo/packages/package-a/package.json',
          '{"name":"@my-scope/package-a","version":"0.0.0"}',
        ],
        ['app/node_modules/resolve/test/resolver/baz/package.json', '{"name":"baz","main":"quux.js"}'],
      ],
    ],
    packages: [...ofDebian, named('npm', 'resolve', '1.20.0')],
  },
  {
    name: 'conda-base',
    what: 'packages of conda’s base environment',
    layers: [[...debian, record('openssl', '3.0.8'), record('zlib', '1.2.13'), record('openssl', '1.1.1t', 'opt/conda/envs/old')]],
    packages: [...ofDebian, named('conda', 'openssl', '3.0.8'), named('conda', 'zlib', '1.2.13'), named('conda', 'openssl', '1.1.1t')],
  },
  {
    name: 'no-lock-files',
    what: 'what npm, composer, RubyGems and .NET installed, without any lock file',
    layers: [
      [
        ...debian,
        manifest('lodash', '4.17.20'),
        [
          'srv/vendor/composer/installed.json',
          '{"packages":[{"name":"monolog/monolog","version":"2.3.0","version_normalized":"2.3.0.0","type":"library","install-path":"../monolog/monolog"}],"dev":false,"dev-package-names":[]}',
        ],
        [
          'usr/lib/ruby/gems/3.1.0/specifications/rack-2.2.3.gemspec',
          'Gem::Specification.new do |s|\n  s.name = "rack".freeze\n  s.version = "2.2.3"\n  s.licenses = ["MIT".freeze]\nend\n',
        ],
        ['opt/shop/shop.deps.json', depsOf('Newtonsoft.Json', '12.0.3')],
      ],
    ],
    packages: [
      ...ofDebian,
      named('npm', 'lodash', '4.17.20'),
      named('composer', 'monolog/monolog', '2.3.0'),
      named('gem', 'rack', '2.2.3'),
      named('nuget', 'Newtonsoft.Json', '12.0.3'),
    ],
    either: [named('nuget', 'shop', '1.0.0')],
  },
  {
    name: 'java-groups',
    what: 'jars of Gradle and Ant, without `pom.properties`, under the names that they are published by',
    layers: [
      [
        ...debian,
        ...jars.map(
          ([file, words]): Member => [
            `opt/lib/${file}`,
            zipOf([
              ['META-INF/MANIFEST.MF', words],
              ['a/A.class', 'x'],
            ]),
          ],
        ),
      ],
    ],
    packages: [...ofDebian, ...jars.map(([, , group, version]) => named('maven', group, version))],
  },
  {
    name: 'renamed-jar',
    what: 'a jar with a library shaded in under other names, itself renamed',
    layers: [[...debian, ['opt/shop/server.jar', fixture('java/fixtures/shaded-1.2.3.jar')]]],
    packages: [
      ...ofDebian,
      named('maven', 'org.example.lazaret:shaded', '1.2.3'),
      named('maven', 'org.example.lazaret.libraries:lib-a', '1.0.4'),
    ],
  },
]

export const places: readonly Recipe[] = [...layered, ...systems, ...languages].map(({ name, what, layers, packages, either }) => ({
  name,
  what,
  async make({ packed }) {
    for (const members of layers) await packed(await tarOf(withFolders(members)))
    return { packages, ...(either !== undefined && { either }) }
  },
}))

/** Every folder has its entry, as tools write it: some scanners see nothing below one that has none. */
function withFolders(members: readonly Member[]): Member[] {
  const names = members.map((member) => (typeof member === 'string' ? member : Array.isArray(member) ? nameOf(member[0]) : member.name))
  const parts = names.flatMap((name) =>
    name
      .split('/')
      .slice(0, -1)
      .map((_, depth, all) => `${all.slice(0, depth + 1).join('/')}/`),
  )
  return [...[...new Set(parts)].filter((folder) => !names.includes(folder.slice(0, -1))).toSorted(), ...members]
}

function nameOf(named: string | { name: string }): string {
  return typeof named === 'string' ? named : named.name
}
