import type { Manifest } from './manifest.ts'
import type { Coordinates } from './pom.ts'

/** What a manifest and the archive's file name say; empty where they say nothing. */
interface Words {
  title: string
  module: string
  bundle: string
  vendorId: string
  builder: string
  version: string
  /** Without its ending. */
  file: string
}

/**
 * Builds that leave no pom behind (Gradle's, Ant's) and whose manifests still say who they are. Each rule was read off
 * published jars (known-modules.test.ts), and asks for words of which no other project has all: a group made from a
 * bundle's name alone, or from a vendor's, is wrong too often (`com.sun` and `javax.mail`, whose group is com.sun.mail).
 */
type Rule = (words: Words) => Coordinates | undefined

/** In: the main attributes, and the archive's file name. Out: the coordinates, where they are known and not guessed. */
export function knownModule(manifest: Manifest, fileName: string): Coordinates | undefined {
  const words = wordsOf(manifest, fileName)
  return rules.map((rule) => rule(words)).find((found) => found !== undefined)
}

function wordsOf(manifest: Manifest, fileName: string): Words {
  const get = (name: string) => manifest.get(name)?.trim() ?? ''
  return {
    title: get('implementation-title'),
    module: get('automatic-module-name'),
    bundle: get('bundle-symbolicname').replace(/;.*$/, ''),
    vendorId: get('implementation-vendor-id'),
    builder: get('built-by'),
    version: get('implementation-version') || get('bundle-version'),
    file: fileName.replace(/\.[a-z]+$/i, ''),
  }
}

const rules: readonly Rule[] = [
  nebula,
  sameThrice,
  spring,
  springSecurity,
  springBoot,
  tomcat,
  reactor,
  hibernate,
  kotlin,
  byFamily,
  byModule,
]

/** Nebula's plug-ins for Gradle write all three: `io.micrometer#micrometer-core;1.14.12`. */
function nebula({ title, version }: Words): Coordinates | undefined {
  const [, group, artifact, stated] = /^([\w.-]+)#([\w.-]+);(\S+)$/.exec(title) ?? []
  return group !== undefined && artifact !== undefined && stated === version ? { group, artifact, version } : undefined
}

/** bnd and sbt: group, artifact, and both as the bundle's name. */
function sameThrice({ title, vendorId, bundle, version, file }: Words): Coordinates | undefined {
  if (title === '' || vendorId === '' || bundle !== `${vendorId}.${title}` || file !== `${title}-${version}`) return undefined
  return { group: vendorId, artifact: title, version }
}

const springModules =
  /^spring-(?:aop|aspects|beans|context(?:-indexer|-support)?|core(?:-test)?|expression|instrument|jcl|jdbc|jms|messaging|orm|oxm|r2dbc|test|tx|web|webflux|webmvc|websocket)$/

function spring(words: Words): Coordinates | undefined {
  if (!springModules.test(words.title) || !confirms(words)) return undefined
  return { group: 'org.springframework', artifact: words.title, version: words.version }
}

function springSecurity(words: Words): Coordinates | undefined {
  if (!/^spring-security-[a-z0-9-]+$/.test(words.title) || !confirms(words)) return undefined
  return { group: 'org.springframework.security', artifact: words.title, version: words.version }
}

/** Before Spring 5 there was no module name; a file that was not renamed says as much. */
function confirms({ title, module, version, file }: Words): boolean {
  return module === '' ? file === `${title}-${version}` : module === title.replaceAll('-', '.')
}

/** Starters have a sentence for a title; who built them is said since Gradle builds them. */
function springBoot({ title, module, builder, version }: Words): Coordinates | undefined {
  if (!title.startsWith('Spring Boot') && builder !== 'Spring') return undefined
  if (!/^spring\.boot(?:\.[a-z0-9]+)*$/.test(module)) return undefined
  return { group: 'org.springframework.boot', artifact: module.replaceAll('.', '-'), version }
}

const tomcatBundles: Record<string, string> = {
  'embed-core': 'org.apache.tomcat.embed:tomcat-embed-core',
  'embed-jasper-el': 'org.apache.tomcat.embed:tomcat-embed-el',
  'embed-jasper': 'org.apache.tomcat.embed:tomcat-embed-jasper',
  'embed-websocket': 'org.apache.tomcat.embed:tomcat-embed-websocket',
}

function tomcat({ title, bundle, version }: Words): Coordinates | undefined {
  const name = bundle.replace(/^org\.apache\.tomcat-/, '')
  return title === 'Apache Tomcat' && Object.hasOwn(tomcatBundles, name) ? named(tomcatBundles[name] ?? '', version) : undefined
}

function reactor({ title, bundle, version }: Words): Coordinates | undefined {
  const group = ['io.projectreactor', 'io.projectreactor.netty'].find((known) => bundle === `${known}.${title}`)
  return group === undefined || !title.startsWith('reactor-') ? undefined : { group, artifact: title, version }
}

/** Its group is another one since 6.0. */
function hibernate({ title, module, version }: Words): Coordinates | undefined {
  if (title !== 'hibernate-core' || module !== 'org.hibernate.orm.core') return undefined
  return { group: Number.parseInt(version, 10) >= 6 ? 'org.hibernate.orm' : 'org.hibernate', artifact: title, version }
}

/** `1.9.24-release-822(1.9.24)` is a version and a build. */
function kotlin({ title, version, file }: Words): Coordinates | undefined {
  const number = version.replace(/-release-\d+.*$/, '')
  if (!/^kotlin-(?:stdlib(?:-jdk[78]|-common)?|reflect)$/.test(title) || file !== `${title}-${number}`) return undefined
  return { group: 'org.jetbrains.kotlin', artifact: title, version: number }
}

/** Artifacts of one project whose manifests don't tell them apart: the word that is the project's, and how its files are called. */
const families: [word: RegExp, group: string, artifacts: RegExp][] = [
  [/^io\.grpc(?:\.[a-z.]+)?$/, 'io.grpc', /^grpc-[a-z-]+$/],
  [/^com\.google\.protobuf(?:\.util)?$/, 'com.google.protobuf', /^protobuf-java(?:lite|-util)?$/],
  [/^bc(?:prov|pkix|util|pg|tls|mail|jmail)$/, 'org.bouncycastle', /^bc(?:prov|pkix|util|pg|tls|mail|jmail)-(?:ext-)?jdk\w+$/],
  [/^com\.mysql\.cj$/, 'com.mysql', /^mysql-connector-j$/],
  [/^com\.mysql\.cj$/, 'mysql', /^mysql-connector-java$/],
  [/^org\.apache\.lucene(?:\.[a-z.]+)?$/, 'org.apache.lucene', /^lucene-[a-z-]+$/],
  [/^com\.squareup\.okio$/, 'com.squareup.okio', /^okio(?:-jvm)?$/],
]

/** A file that was not renamed says which of them it is. */
function byFamily({ title, module, bundle, version, file }: Words): Coordinates | undefined {
  const number = version.replace(/ .*$/, '')
  const artifact = file.endsWith(`-${number}`) ? file.slice(0, -number.length - 1) : ''
  const family = families.find(([word, , artifacts]) => artifacts.test(artifact) && [module, bundle, title].some((each) => word.test(each)))
  return family && { group: family[1], artifact, version: number }
}

/** Module names of one artifact each, over all its versions. */
const modules: Record<string, string> = {
  'org.postgresql.jdbc': 'org.postgresql:postgresql',
  'org.apache.groovy': 'org.apache.groovy:groovy',
  'org.reactivestreams': 'org.reactivestreams:reactive-streams',
  'org.checkerframework.checker.qual': 'org.checkerframework:checker-qual',
  'org.codehaus.groovy': 'org.codehaus.groovy:groovy',
  'com.h2database': 'com.h2database:h2',
  'org.lz4.java': 'org.lz4:lz4-java',
  'io.perfmark': 'io.perfmark:perfmark-api',
  'org.hibernate.commons.annotations': 'org.hibernate.common:hibernate-commons-annotations',
}

function byModule({ module, version }: Words): Coordinates | undefined {
  return Object.hasOwn(modules, module) ? named(modules[module] ?? '', version) : undefined
}

function named(name: string, version: string): Coordinates {
  const colon = name.indexOf(':')
  return { group: name.slice(0, colon), artifact: name.slice(colon + 1), version }
}
