// Applications for Java as Maven packs them. What Maven resolved is in them; a jar of others that carries more says so by its own
// pom.properties, which `jar tf` lists.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { named } from '../named.ts'
import { type Recipe, rowsOf, shell } from '../recipe.ts'
import type { Truth } from '../score.ts'

const own = named('maven', 'org.example.lazaret:shop', '1.2.3')
const coordinates = [
  'org.springframework.boot:spring-boot-starter-web:2.7.18',
  'org.apache.logging.log4j:log4j-core:2.14.1',
  'org.apache.commons:commons-text:1.9',
  'com.google.guava:guava:31.1-jre',
  'org.apache.httpcomponents:httpclient:4.5.13',
  'io.netty:netty-codec-http:4.1.77.Final',
  'org.postgresql:postgresql:42.3.1',
]
const many = [
  ...coordinates,
  'org.springframework.boot:spring-boot-starter-data-jpa:2.7.18',
  'org.springframework.boot:spring-boot-starter-security:2.7.18',
  'org.springframework.boot:spring-boot-starter-webflux:2.7.18',
  'org.springframework.boot:spring-boot-starter-actuator:2.7.18',
  'org.apache.kafka:kafka-clients:3.4.0',
  'org.apache.hadoop:hadoop-common:3.3.4',
  'io.vertx:vertx-web:4.4.4',
  'io.grpc:grpc-netty-shaded:1.56.0',
  'io.grpc:grpc-protobuf:1.56.0',
  'software.amazon.awssdk:s3:2.20.90',
  'com.squareup.okhttp3:okhttp:4.11.0',
  'org.apache.lucene:lucene-queryparser:9.6.0',
  'com.mysql:mysql-connector-j:8.0.33',
  'org.bouncycastle:bcpkix-jdk18on:1.74',
  'org.eclipse.jetty:jetty-webapp:9.4.51.v20230217',
  'org.quartz-scheduler:quartz:2.3.2',
  'org.codehaus.groovy:groovy:3.0.17',
  'org.scala-lang:scala-library:2.13.11',
  'org.apache.velocity:velocity-engine-core:2.3',
  'org.flywaydb:flyway-core:9.19.4',
  'com.h2database:h2:2.1.214',
]
const fewer = ['commons-io:commons-io:2.6', 'com.google.code.gson:gson:2.8.6', 'org.apache.commons:commons-lang3:3.9']

export const java: readonly Recipe[] = [
  {
    name: 'java-libraries',
    what: 'an application beside a folder of jars: `mvn dependency:list`, `jar tf`',
    async make({ layer, work }) {
      const lib = await folderIn(await layer(), 'opt/shop/lib')
      await project(work, coordinates, '')
      await maven('dependency:copy-dependencies', work, `-DoutputDirectory=${lib} -DincludeScope=runtime`)
      return listed(work)
    },
  },
  {
    name: 'java-wide',
    what: 'the same with Hadoop, Kafka, gRPC, Vert.x, an SDK of AWS and others: `mvn dependency:list`, `jar tf`',
    async make({ layer, work }) {
      const lib = await folderIn(await layer(), 'opt/shop/lib')
      await project(work, many, '')
      await maven('dependency:copy-dependencies', work, `-DoutputDirectory=${lib} -DincludeScope=runtime`)
      return listed(work)
    },
  },
  {
    name: 'java-nested',
    what: 'the same in one jar by the plug-in of Spring Boot, which leaves starters out: those of `mvn dependency:list` that `jar tf` shows',
    async make({ layer, work }) {
      const place = await folderIn(await layer(), 'opt/shop')
      const repackage = '<executions><execution><goals><goal>repackage</goal></goals></execution></executions>'
      await project(work, coordinates, plugin('org.springframework.boot:spring-boot-maven-plugin:2.7.18', repackage))
      await maven('package', work)
      await shell(`cp target/shop-1.2.3.jar "$PLACE/"`, work, { PLACE: place })
      await maven('dependency:copy-dependencies', work, `-DoutputDirectory=${join(work, 'target/dependency')} -DincludeScope=runtime`)
      const files = (await shell("jar tf target/shop-1.2.3.jar | sed -n 's,^BOOT-INF/lib/,,p'", work)).split('\n')
      const { packages, either } = await listed(work)
      // The plug-in puts in one of its own.
      const added = files.flatMap((file) => /^(spring-boot-jarmode-[a-z]+)-(.+)\.jar$/.exec(file)?.slice(1) ?? [])
      const own = added.length === 2 ? [named('maven', `org.springframework.boot:${added[0]}`, added[1] ?? '')] : []
      const left = (name: string) => name.startsWith('org.springframework.boot:spring-boot-starter')
      return { packages: [...packages.filter(({ name }) => !left(name)), ...own], ...(either && { either }) }
    },
  },
  {
    name: 'java-shaded',
    what: 'libraries shaded into one jar under names that are not theirs, and the jar renamed: `mvn dependency:list`',
    async make({ layer, work }) {
      const place = await folderIn(await layer(), 'opt/shop')
      const moved = '<relocation><pattern>com.google.gson</pattern><shadedPattern>org.example.gson</shadedPattern></relocation>'
      const configuration = `<executions><execution><phase>package</phase><goals><goal>shade</goal></goals><configuration><relocations>${moved}</relocations></configuration></execution></executions>`
      await project(work, fewer, plugin('org.apache.maven.plugins:maven-shade-plugin:3.6.0', configuration))
      await maven('package', work)
      await shell(`cp target/shop-1.2.3.jar "$PLACE/server.jar"`, work, { PLACE: place })
      return listed(work)
    },
  },
]

async function folderIn(root: string, path: string): Promise<string> {
  const folder = join(root, path)
  await shell('mkdir -p "$FOLDER"', root, { FOLDER: folder })
  return folder
}

async function project(work: string, wanted: readonly string[], plugins: string): Promise<void> {
  const dependencies = wanted.map((one) => `<dependency>${elements(one)}</dependency>`).join('')
  const [groupId, artifactId] = own.name.split(':')
  await writeFile(
    join(work, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${own.version}</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies>${dependencies}</dependencies><build><plugins>${plugins}</plugins></build></project>`,
  )
  await shell('mkdir -p src/main/java/org/example', work)
  await writeFile(
    join(work, 'src/main/java/org/example/Shop.java'),
    'package org.example; public class Shop { public static void main(String[] args) {} }',
  )
}

function plugin(coordinate: string, content: string): string {
  return `<plugin>${elements(coordinate)}${content}</plugin>`
}

function elements(coordinate: string): string {
  const [groupId, artifactId, version] = coordinate.split(':')
  return `<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>`
}

async function maven(goal: string, work: string, options = ''): Promise<void> {
  await shell(`mvn -B -q ${goal} ${options} > maven.log 2>&1 || { tail -20 maven.log >&2; exit 1; }`, work)
}

/** `   GROUP:ARTIFACT:jar[:CLASSIFIER]:VERSION:SCOPE[ -- module …]`; and what lies in the jars that were copied beside. */
async function listed(work: string): Promise<Truth> {
  await maven('dependency:list', work, '-DincludeScope=runtime -DoutputFile=list.txt')
  const lines = (await shell("sed 's/\\x1b\\[[0-9;]*m//g' list.txt", work)).split('\n')
  const resolved = lines.flatMap((line) => {
    const parts = (line.trim().split(/[ (]/)[0] ?? '').split(':')
    return parts.length < 5 || parts[2] !== 'jar' ? [] : [named('maven', `${parts[0]}:${parts[1]}`, parts.at(-2) ?? '')]
  })
  const inside = rowsOf(
    await shell(
      `for jar in $(find target/dependency ../layer-0/opt/shop/lib -name '*.jar' 2>/dev/null); do
         for at in $(jar tf "$jar" | grep -E '^META-INF/maven/.*/pom.properties$' || true); do unzip -p "$jar" "$at" | tr -d '\\r' |
           awk -F= '/^groupId=/{g=$2} /^artifactId=/{a=$2} /^version=/{v=$2} END {print g "\\t" a "\\t" v}'; done; done`,
      work,
    ),
  ).map(([group, artifact, version = '']) => named('maven', `${group}:${artifact}`, version))
  return { packages: [...resolved, ...inside], either: [own] }
}
