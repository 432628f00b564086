// Small files of each kind, well made: what is changed at random must first be something.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import type { WantedFile } from '../../src/inventory/extractor.ts'
import { elfWith } from '../../src/inventory/testing/probes.ts'
import { zipOf } from '../../src/inventory/testing/zips.ts'

export interface Sample {
  path: string
  bytes: Buffer[]
  /** Files that are read with it. */
  beside?: WantedFile[]
}

const extractorsFolder = join(import.meta.dirname, '../../src/inventory/extractors')

export function fixture(path: string): Buffer {
  const bytes = readFileSync(join(extractorsFolder, path))
  return path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

function sample(path: string, ...texts: (string | Buffer)[]): Sample {
  return { path, bytes: texts.map((text) => Buffer.from(text)) }
}

const json = (value: unknown) => JSON.stringify(value)
const properties = 'groupId=a.b\nartifactId=c\nversion=1.0\n'
const jar = zipOf([
  [
    'META-INF/MANIFEST.MF',
    'Manifest-Version: 1.0\r\nImplementation-Title: c\r\nImplementation-Version: 1.0\r\nBundle-SymbolicName: a.b.c\r\n\r\n',
  ],
  ['META-INF/maven/a.b/c/pom.properties', properties],
  ['META-INF/maven/d/e/pom.xml', '<project><parent><groupId>d</groupId><version>2</version></parent><artifactId>e</artifactId></project>'],
])
const pom = zipOf([['META-INF/maven/d/e/pom.xml', '<project><groupId>d</groupId><artifactId>e</artifactId><version>2</version></project>']])
const wholeJar = zipOf([
  ['BOOT-INF/lib/c-1.0.jar', jar, 'stored'],
  ['WEB-INF/lib/e-2.jar', pom],
  ['x.class', 'x'],
])
const wordpressPlugin = '<?php\n/*\nPlugin Name: Harbour\nVersion: 5.3.3\nLicense: GPLv2 or later\n*/\n'
const upx = elfWith()
upx.write('UPX!', 300, 'latin1')
const log = () => {
  const bytes = Buffer.alloc(32 + 24 + 4096)
  bytes.writeUInt32BE(0x377f0682, 0)
  bytes.writeUInt32BE(3_007_000, 4)
  bytes.writeUInt32BE(4096, 8)
  return bytes
}

const samples: Record<string, () => Sample[]> = {
  alpm: () => [
    sample(
      'var/lib/pacman/local/a-1-1/desc',
      '%NAME%\nzlib\n\n%VERSION%\n1:1.3.1-2\n\n%BASE%\nzlib\n\n%ARCH%\nx86_64\n\n%LICENSE%\nZlib\n\n%DEPENDS%\nglibc\n',
    ),
    sample('var/lib/pacman/local/a-1-1/files', '%FILES%\nusr/\nusr/lib/\nusr/lib/libz.so\n\n%BACKUP%\netc/a\t0\n'),
  ],
  apk: () => [
    sample(
      'lib/apk/db/installed',
      'C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nm:A <a@b.c>\nF:lib\nR:ld.so\na:0:0:755\nZ:Q1x=\n\nP:zlib\nV:1.3-r0\n\n',
    ),
  ],
  bitnami: () => [
    sample(
      'opt/bitnami/redis/.spdx-redis.spdx',
      'SPDXVersion: SPDX-2.3\nPackageName: redis\nPackageVersion: 7.4.1-0\nExternalRef: PACKAGE-MANAGER purl pkg:bitnami/redis@7.4.1-0?arch=arm64\n',
      json({
        spdxVersion: 'SPDX-2.3',
        packages: [{ name: 'a', versionInfo: '1', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:bitnami/a@1-0' }] }],
      }),
    ),
    sample(
      'opt/bitnami/.bitnami_components.json',
      json({ redis: { arch: 'amd64', distro: 'debian-12', type: 'NAMI', version: '7.4.1-0' } }),
    ),
  ],
  composer: () => [
    sample(
      'srv/app/vendor/composer/installed.json',
      json({ packages: [{ name: 'a/b', version: 'v1.0', license: ['MIT'], require: { 'c/d': '*' } }], 'dev-package-names': ['a/b'] }),
      (JSON.parse(fixture('composer/fixtures/installed.json').toString()) as { installed: string }).installed,
    ),
    sample('srv/app/composer.json', json({ require: { 'a/b': '^1' }, 'require-dev': { 'c/d': '*' } })),
  ],
  conda: () => [
    sample(
      'opt/conda/conda-meta/a-1-0.json',
      json({
        name: 'a',
        version: '1',
        build: '0',
        build_number: 0,
        license: 'MIT',
        channel: 'https://c/linux-64',
        files: ['lib/python3.12/site-packages/a-1.dist-info/METADATA'],
        depends: ['b >=1'],
      }),
    ),
  ],
  dart: () => [
    sample(
      'app/pubspec.lock',
      '# Generated\npackages:\n  args:\n    dependency: "direct main"\n    description:\n      name: args\n      url: "https://pub.dev"\n    source: hosted\n    version: "2.4.2"\nsdks:\n  dart: ">=3.0.0"\n',
    ),
    sample(
      'app/.dart_tool/package_config.json',
      json({
        configVersion: 2,
        packages: [{ name: 'args', rootUri: 'file:///root/.pub-cache/hosted/pub.dev/args-2.4.2', packageUri: 'lib/' }],
      }),
    ),
    sample('app/server', Buffer.concat([elfWith('x'), Buffer.from([0xdc, 0xdc, 0xf6, 0xf6, 0, 0, 0, 0])])),
  ],
  'deb-copyright': () => [
    sample(
      'usr/share/doc/a/copyright',
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nFiles: *\nCopyright: 2020 A\nLicense: GPL-2+ or MIT\n\nLicense: MIT\n text\n',
    ),
  ],
  dpkg: () => [
    sample(
      'var/lib/dpkg/status',
      'Package: libc6\nStatus: install ok installed\nSource: glibc (2.36-9)\nArchitecture: amd64\nVersion: 2.36-9+deb12u4\nMaintainer: A <a@b>\nDescription: x\n y\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\n\n',
    ),
    sample('var/lib/dpkg/info/a:amd64.list', '/.\n/usr\n/usr/bin\n/usr/bin/a\n'),
    sample('var/lib/dpkg/status.d/a.md5sums', 'd41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n'),
  ],
  erlang: () => [
    sample(
      'app/lib/cowboy-2.9.0/ebin/cowboy.app',
      '%% c\n{application,cowboy,[{vsn,"2.9.0"},{modules,[\'Elixir.A\',b]},{applications,[kernel,ranch]},{env,[{a,#{b => <<"c"/utf8>>}},{n,-16#ff},{c,$%}]}]}.\n',
    ),
    sample(
      'app/deps/cowboy/hex_metadata.config',
      '{<<"app">>,<<"cowboy">>}.\n{<<"licenses">>,[<<"ISC">>]}.\n{<<"name">>,<<"cowboy">>}.\n{<<"version">>,<<"2.9.0">>}.\n',
    ),
    sample('usr/lib/erlang/releases/25/OTP_VERSION', '25.3.2.8\n'),
  ],
  'erlang-archive': () => [
    sample(
      'usr/lib/rabbitmq/plugins/a-1.0.ez',
      zipOf([['a-1.0/ebin/a.app', '{application,a,[{description,"x"},{vsn,"1.0"},{modules,[]},{applications,[kernel]}]}.\n']]),
    ),
    sample('usr/bin/tool', Buffer.concat([Buffer.from('#!/usr/bin/env escript\n%%\n'), zipOf([['a/ebin/a.app', 'x']])])),
  ],
  gem: () => [
    sample(
      'usr/lib/ruby/gems/3.1.0/specifications/a-1.gemspec',
      '# -*- encoding: utf-8 -*-\n# stub: a 1 ruby lib\n\nGem::Specification.new do |s|\n  s.name = "a".freeze\n  s.version = "1"\n  s.licenses = ["MIT".freeze]\n  s.add_dependency(%q<b>.freeze, ["~> 1"])\nend\n',
    ),
  ],
  go: () => [sample('bin/go', ...goPrograms())],
  java: () => [
    sample('app/c-1.0.jar', jar, pom, fixture('java/fixtures/shaded-1.2.3.jar')),
    sample('app/whole.ear', wholeJar, fixture('java/fixtures/boot.jar'), fixture('java/fixtures/all.ear')),
  ],
  jdk: () => [sample('opt/java/release', 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="17.0.9"\nJAVA_RUNTIME_VERSION="17.0.9+9"\n')],
  lua: () => [
    sample(
      'usr/local/lib/luarocks/rocks-5.4/a/1-1/a-1-1.rockspec',
      'package = "a"\nversion = "1-1"\ndescription = {\n license = [[MIT]], homepage = "x"\n}\ndependencies = { "lua >= 5.1" }\n',
    ),
  ],
  npm: () => [
    sample(
      'app/node_modules/a/package.json',
      json({ name: 'a', version: '1.0.0', license: 'MIT', dependencies: { b: '^1' }, _resolved: 'https://r/a.tgz' }),
    ),
    sample('app/package.json', json({ name: 'app', dependencies: { a: '1' }, devDependencies: { c: 'npm:d@1' } })),
  ],
  'npm-lock': () => [
    sample(
      'app/node_modules/.package-lock.json',
      json({ lockfileVersion: 3, packages: { 'node_modules/a': { version: '1', dev: true }, 'node_modules/b': { version: '2' } } }),
    ),
  ],
  nuget: () => [
    sample(
      'app/TestLibrary.deps.json',
      fixture('nuget/fixtures/TestLibrary.deps.json'),
      json({
        targets: { n: { 'A/1': { dependencies: { B: '2' }, runtime: { 'a.dll': {} } } } },
        libraries: { 'A/1': { type: 'package' } },
      }),
    ),
  ],
  opkg: () => [
    sample('usr/lib/opkg/status', 'Package: libc\nVersion: 1.2.3-4\nStatus: install user installed\nArchitecture: x86_64\n\n'),
    sample('usr/lib/opkg/info/libc.list', '/lib/libc.so\n/lib/a\n'),
  ],
  packed: () => [sample('usr/bin/packed', upx)],
  programs: () => [
    sample('usr/sbin/nginx', elfWith('\0nginx version: nginx/1.25.3\0')),
    sample('bin/busybox', elfWith('\0BusyBox v1.36.1 (2023)\0')),
    sample('usr/bin/python3.11', elfWith('\x003.11.2\0')),
  ],
  python: () => [
    sample(
      'usr/lib/python3/site-packages/a-1.0.dist-info/METADATA',
      'Metadata-Version: 2.1\nName: A.b\nVersion: 1.0\nLicense: MIT\nClassifier: License :: OSI Approved :: MIT License\nRequires-Dist: c (>=1) ; extra == "x"\n\nText\n',
    ),
    sample(
      'x/site-packages/a-1.0.dist-info/direct_url.json',
      json({ url: 'https://example.org/a.git', vcs_info: { vcs: 'git', commit_id: '0a' } }),
    ),
  ],
  'python-licence': () => [
    sample(
      'usr/lib/python3/site-packages/a-1.0.dist-info/licenses/LICENSE.txt',
      'Redistribution and use in source and binary forms, with or without modification, are permitted provided that:\n',
    ),
  ],
  'python-egg': () => [
    sample(
      'usr/lib/python3/site-packages/a-1.0-py3.egg',
      zipOf([
        ['EGG-INFO/PKG-INFO', 'Metadata-Version: 1.0\nName: a\nVersion: 1.0\n'],
        ['a.py', 'x'],
      ]),
    ),
  ],
  r: () => [
    sample(
      'usr/lib/R/library/rlang/DESCRIPTION',
      'Package: rlang\nVersion: 1.1.1\nLicense: MIT + file LICENSE\nImports: utils,\n  methods\nBuilt: R 4.3.1; x; 2023; unix\nRepository: CRAN\n',
    ),
  ],
  release: () => [
    sample(
      'etc/os-release',
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID_LIKE="a b"\n',
    ),
    sample('etc/redhat-release', 'CentOS Linux release 7.9.2009 (Core)\n'),
    sample('etc/lsb-release', 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\n'),
  ],
  rpm: () => [
    {
      ...sample(
        'var/lib/rpm/Packages',
        fixture('rpm/fixtures/libuuid.bdb.zst'),
        fixture('rpm/fixtures/harbour-big.bdb.zst'),
        fixture('rpm/fixtures/harbour-little.bdb.zst'),
      ),
    },
    { ...sample('var/lib/rpm/Packages.db', fixture('rpm/fixtures/sle15-bci.ndb.zst')) },
    {
      ...sample('var/lib/rpm/rpmdb.sqlite', fixture('rpm/fixtures/harbour.sqlite.zst')),
      beside: [{ path: 'var/lib/rpm/rpmdb.sqlite-wal', sizeBytes: log().length, bytes: log() }],
    },
  ],
  'rpm-manifest': () => [
    sample(
      'var/lib/rpmmanifest/container-manifest-2',
      'bash\t5.1-1.cm2\t1643279451\t1643074780\tMicrosoft Corporation\t(none)\t608\tx86_64\t2\tbash-5.1-1.cm2.src.rpm\n',
    ),
  ],
  rust: () => [
    sample(
      'usr/bin/rust',
      fixture('rust/fixtures/cargo-auditable-0.7.7.zst').subarray(0, 400_000),
      fixture('rust/fixtures/without-list.zst').subarray(0, 400_000),
    ),
  ],
  swift: () => [
    sample(
      'app/Package.resolved',
      json({
        originHash: 'ab',
        pins: [
          {
            identity: 'swift-nio',
            kind: 'remoteSourceControl',
            location: 'https://github.com/apple/swift-nio.git',
            state: { revision: '0'.repeat(40), version: '2.62.0' },
          },
        ],
        version: 3,
      }),
    ),
  ],
  unsupported: () => [sample('var/lib/pkgtools/packages/a-1-x86_64-1', 'x')],
  wordpress: () => [
    sample('var/www/wp-content/plugins/harbour/harbour.php', wordpressPlugin),
    sample('var/www/wp-content/themes/pier/style.css', '/*\nTheme Name: Pier\nVersion: 1.2\n*/'),
  ],
  'yarn-cache': () => [
    sample(
      'app/.yarn/cache/a-npm-1.0.0-0123456789-0123456789.zip',
      zipOf([['node_modules/a/package.json', json({ name: 'a', version: '1.0.0' })]]),
    ),
  ],
  'yarn-pnp': () => [
    sample(
      'srv/app/.pnp.data.json',
      json({
        packageRegistryData: [
          [null, [[null, { packageLocation: './' }]]],
          ['a', [['npm:1.0.0', { packageLocation: './.yarn/cache/a.zip/node_modules/a/' }]]],
        ],
      }),
    ),
    sample(
      'srv/app/.pnp.cjs',
      `const RAW_RUNTIME_STATE =\n'{"packageRegistryData":[["a",[["npm:1",{"packageLocation":"./.yarn/cache/a.zip/node_modules/a/"}]]]]}';\n`,
    ),
  ],
}

/** In: the name of an extractor. Out: files of its kind; none where nobody wrote any here. */
export function samplesOf(name: string): Sample[] {
  return samples[name]?.() ?? []
}

function goPrograms(): Buffer[] {
  return ['go1.17-linux-amd64', 'go1.17-darwin-amd64', 'go1.17-windows-386', 'go1.26-linux-amd64-stripped'].map((name) =>
    fixture(`go/fixtures/${name}.zst`),
  )
}
