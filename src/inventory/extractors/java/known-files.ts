import type { Coordinates } from './pom.ts'

/** Below which folder the classes lie, the group, and how the project calls its files. */
type Project = [folder: string, group: string, artifacts: RegExp]

/**
 * Projects whose jars have neither a pom nor words of their own in the manifest, or words that tell of no artifact. Each was read
 * off published jars (known-files.test.ts).
 */
const projects: readonly Project[] = [
  [
    'org/apache/kafka',
    'org.apache.kafka',
    /^(?:kafka-(?:clients|streams|raft|metadata|server-common|storage|tools)|connect-(?:api|json|runtime|transforms|file))$/,
  ],
  [
    'okhttp3',
    'com.squareup.okhttp3',
    /^(?:okhttp(?:-jvm|-sse|-tls|-urlconnection|-brotli|-dnsoverhttps)?|logging-interceptor|mockwebserver)$/,
  ],
  ['okio', 'com.squareup.okio', /^okio(?:-jvm)?$/],
  ['io/grpc', 'io.grpc', /^grpc-[a-z-]+$/],
  ['scala', 'org.scala-lang', /^scala-(?:library|reflect|compiler)$/],
  ['org/codehaus/jackson', 'org.codehaus.jackson', /^jackson-(?:(?:core|mapper)-(?:asl|lgpl)|jaxrs|xc|mrbean|smile)$/],
  ['org/bouncycastle', 'org.bouncycastle', /^bc(?:prov|pkix|util|pg|tls|mail|jmail)-(?:ext-)?jdk\w+$/],
  ['com/mchange', 'com.mchange', /^(?:c3p0|mchange-commons-java)$/],
  ['software/amazon/awssdk', 'software.amazon.awssdk', /^third-party-[a-z-]+$/],
  ['org/aspectj/weaver', 'org.aspectj', /^aspectjweaver$/],
  ['org/objectweb/asm', 'org.ow2.asm', /^asm(?:-(?:commons|tree|util|analysis))?$/],
  ['antlr', 'antlr', /^antlr$/],
  ['com/sun/xml', 'com.sun.xml.bind', /^jaxb-impl$/],
  ['javax/xml/bind', 'javax.xml.bind', /^jaxb-api$/],
  ['javax/xml/stream', 'javax.xml.stream', /^stax-api$/],
  ['javax/activation', 'javax.activation', /^activation$/],
  ['javax/servlet/jsp', 'javax.servlet.jsp', /^jsp-api$/],
]

/**
 * In: a file's name, the folders of its classes, at most three deep, and the version of its manifest, empty where it has none.
 * Out: the coordinates, where the file goes by the name that it is published by, its classes are that project's, and the manifest
 * does not say another version.
 */
export function knownFile(fileName: string, folders: ReadonlySet<string>, stated: string): Coordinates | undefined {
  const [, artifact = '', version = ''] = /^([a-z][\w-]*?)-(\d[\w.+-]*)\.jar$/i.exec(fileName) ?? []
  if (artifact === '' || !(stated.startsWith(version) || version.startsWith(stated))) return undefined
  const project = projects.find(([folder, , artifacts]) => artifacts.test(artifact) && folders.has(folder))
  // Its group is another one since 4.0.
  const isOldAsm = project?.[1] === 'org.ow2.asm' && Number.parseInt(version, 10) < 4
  return project && { group: isOldAsm ? 'asm' : project[1], artifact, version }
}
