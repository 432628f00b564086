import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownModule } from './known-modules.ts'
import { parseManifest } from './manifest.ts'

/** Attributes as they stand in published jars without a pom, each under the name and coordinates that it is published by. */
const published: [file: string, manifest: string, coordinates: string][] = [
  [
    'spring-core-6.2.12.jar',
    'Implementation-Title: spring-core\nImplementation-Version: 6.2.12\nAutomatic-Module-Name: spring.core',
    'org.springframework:spring-core:6.2.12',
  ],
  [
    'spring-security-web-7.1.2.jar',
    'Implementation-Title: spring-security-web\nImplementation-Version: 7.1.2\nAutomatic-Module-Name: spring.security.web',
    'org.springframework.security:spring-security-web:7.1.2',
  ],
  [
    'spring-boot-jarmode-tools-3.5.7.jar',
    'Automatic-Module-Name: spring.boot.jarmode.tools\nImplementation-Title: Spring Boot Jarmode Tools\nImplementation-Version: 3.5.7',
    'org.springframework.boot:spring-boot-jarmode-tools:3.5.7',
  ],
  [
    'spring-boot-starter-web-2.7.18.jar',
    'Implementation-Title: Starter for building web, including RESTful, app\n lications using Spring MVC. Uses Tomcat as the default embedded conta\n iner\nAutomatic-Module-Name: spring.boot.starter.web\nImplementation-Version: 2.7.18\nBuilt-By: Spring',
    'org.springframework.boot:spring-boot-starter-web:2.7.18',
  ],
  [
    'checker-qual-3.12.0.jar',
    'Automatic-Module-Name: org.checkerframework.checker.qual\nBundle-SymbolicName: checker-qual\nImplementation-Version: 3.12.0',
    'org.checkerframework:checker-qual:3.12.0',
  ],
  [
    'h2-2.1.214.jar',
    'Implementation-Title: H2 Database Engine\nImplementation-Version: 2.1.214\nAutomatic-Module-Name: com.h2database',
    'com.h2database:h2:2.1.214',
  ],
  [
    'groovy-3.0.17.jar',
    'Bundle-SymbolicName: groovy\nBundle-Version: 3.0.17\nAutomatic-Module-Name: org.codehaus.groovy\nImplementation-Version: 3.0.17',
    'org.codehaus.groovy:groovy:3.0.17',
  ],
  [
    'lz4-java-1.8.0.jar',
    'Automatic-Module-Name: org.lz4.java\nBundle-SymbolicName: lz4-java\nBundle-Version: 1.8.0',
    'org.lz4:lz4-java:1.8.0',
  ],
  [
    'tomcat-embed-el-10.1.48.jar',
    'Bundle-SymbolicName: org.apache.tomcat-embed-jasper-el\nBundle-Version: 10.1.48\nImplementation-Title: Apache Tomcat\nImplementation-Version: 10.1.48',
    'org.apache.tomcat.embed:tomcat-embed-el:10.1.48',
  ],
  [
    'micrometer-commons-1.14.12.jar',
    'Bundle-SymbolicName: micrometer-commons\nImplementation-Title: io.micrometer#micrometer-commons;1.14.12\nImplementation-Version: 1.14.12',
    'io.micrometer:micrometer-commons:1.14.12',
  ],
  [
    'reactor-netty-http-1.3.7.jar',
    'Bundle-SymbolicName: io.projectreactor.netty.reactor-netty-http\nBundle-Version: 1.3.7.RELEASE\nImplementation-Title: reactor-netty-http\nImplementation-Version: 1.3.7',
    'io.projectreactor.netty:reactor-netty-http:1.3.7',
  ],
  [
    'reactor-core-3.8.8.jar',
    'Bundle-SymbolicName: io.projectreactor.reactor-core\nBundle-Version: 3.8.8.RELEASE\nImplementation-Title: reactor-core\nImplementation-Version: 3.8.8',
    'io.projectreactor:reactor-core:3.8.8',
  ],
  [
    'hibernate-core-7.4.13.Final.jar',
    'Automatic-Module-Name: org.hibernate.orm.core\nImplementation-Title: hibernate-core\nImplementation-Vendor-Id: org.hibernate\nImplementation-Version: 7.4.13.Final',
    'org.hibernate.orm:hibernate-core:7.4.13.Final',
  ],
  [
    'kotlin-stdlib-2.4.21.jar',
    'Implementation-Vendor: JetBrains\nImplementation-Title: kotlin-stdlib\nImplementation-Version: 2.4.21',
    'org.jetbrains.kotlin:kotlin-stdlib:2.4.21',
  ],
  [
    'grpc-netty-shaded-1.85.1.jar',
    'Implementation-Title: jar\nImplementation-Version: 1.85.1\nAutomatic-Module-Name: io.grpc.netty.shaded',
    'io.grpc:grpc-netty-shaded:1.85.1',
  ],
  [
    'protobuf-java-4.31.1.jar',
    'Automatic-Module-Name: com.google.protobuf\nBundle-SymbolicName: com.google.protobuf\nBundle-Version: 4.31.1',
    'com.google.protobuf:protobuf-java:4.31.1',
  ],
  ['bcprov-jdk18on-1.87.jar', 'Bundle-SymbolicName: bcprov\nBundle-Version: 1.87', 'org.bouncycastle:bcprov-jdk18on:1.87'],
  [
    'mysql-connector-j-9.7.0.jar',
    'Implementation-Title: MySQL Connector/J\nImplementation-Version: 9.7.0\nImplementation-Vendor-Id: com.mysql\nBundle-SymbolicName: com.mysql.cj',
    'com.mysql:mysql-connector-j:9.7.0',
  ],
  [
    'lucene-core-9.12.3.jar',
    'Implementation-Title: org.apache.lucene\nImplementation-Version: 9.12.3 f965e930673c1f5cb478dc6a8907f5fc4ef7b539 - 2025-09-24 07:44:31\nSpecification-Title: Lucene Search Engine: core',
    'org.apache.lucene:lucene-core:9.12.3',
  ],
  [
    'okio-jvm-3.18.1.jar',
    'Automatic-Module-Name: okio\nBundle-SymbolicName: com.squareup.okio\nBundle-Version: 3.18.1',
    'com.squareup.okio:okio-jvm:3.18.1',
  ],
  [
    'reactive-streams-1.0.4.jar',
    'Automatic-Module-Name: org.reactivestreams\nBundle-SymbolicName: reactive-streams\nBundle-Version: 1.0.4',
    'org.reactivestreams:reactive-streams:1.0.4',
  ],
  [
    'postgresql-42.7.14.jar',
    'Automatic-Module-Name: org.postgresql.jdbc\nBundle-SymbolicName: org.postgresql.jdbc\nImplementation-Title: PostgreSQL JDBC Driver\nImplementation-Vendor-Id: org.postgresql\nImplementation-Version: 42.7.14',
    'org.postgresql:postgresql:42.7.14',
  ],
  [
    'groovy-5.0.8.jar',
    'Bundle-SymbolicName: groovy\nAutomatic-Module-Name: org.apache.groovy\nImplementation-Version: 5.0.8',
    'org.apache.groovy:groovy:5.0.8',
  ],
  [
    'snappy-java-1.1.10.7.jar',
    'Bundle-SymbolicName: org.xerial.snappy.snappy-java\nImplementation-Title: snappy-java\nImplementation-Vendor-Id: org.xerial.snappy\nImplementation-Version: 1.1.10.7',
    'org.xerial.snappy:snappy-java:1.1.10.7',
  ],
]

const ask = (manifest: string, file: string) => {
  const found = knownModule(parseManifest(Buffer.from(`Manifest-Version: 1.0\n${manifest}\n\n`)), file)
  return found && `${found.group}:${found.artifact}:${found.version}`
}

test('published jars without a pom are known by their manifests', () => {
  for (const [file, manifest, coordinates] of published) assert.equal(ask(manifest, file), coordinates)
})

test('most are known under another file name, too', () => {
  const renamed = published.filter(([, manifest, coordinates]) => ask(manifest, 'lib.jar') === coordinates)
  assert.deepEqual(
    published.filter((each) => !renamed.includes(each)).map(([file]) => file),
    [
      'kotlin-stdlib-2.4.21.jar',
      'grpc-netty-shaded-1.85.1.jar',
      'protobuf-java-4.31.1.jar',
      'bcprov-jdk18on-1.87.jar',
      'mysql-connector-j-9.7.0.jar',
      'lucene-core-9.12.3.jar',
      'okio-jvm-3.18.1.jar',
      'snappy-java-1.1.10.7.jar',
    ],
  )
})

test('Spring before its modules had names is known where its file was not renamed', () => {
  const old = 'Implementation-Title: spring-core\nImplementation-Version: 4.3.9.RELEASE'
  assert.equal(ask(old, 'spring-core-4.3.9.RELEASE.jar'), 'org.springframework:spring-core:4.3.9.RELEASE')
  assert.equal(ask(old, 'core.jar'), undefined)
})

test('Hibernate had another group before 6.0', () => {
  const manifest =
    'Automatic-Module-Name: org.hibernate.orm.core\nImplementation-Title: hibernate-core\nImplementation-Version: 5.6.15.Final'
  assert.equal(ask(manifest, 'x.jar'), 'org.hibernate:hibernate-core:5.6.15.Final')
})

test('one word alone, or two that differ, are no proof', () => {
  for (const [manifest, file] of [
    ['Implementation-Title: spring-core\nImplementation-Version: 1\nAutomatic-Module-Name: com.example.core', 'spring-core-1.jar'],
    ['Implementation-Title: spring-anything\nImplementation-Version: 1\nAutomatic-Module-Name: spring.anything', 'x.jar'],
    ['Automatic-Module-Name: spring.boot\nImplementation-Title: shop\nImplementation-Version: 1', 'shop-1.jar'],
    [
      'Bundle-SymbolicName: com.sun.mail.javax.mail\nImplementation-Title: javax.mail\nImplementation-Vendor-Id: com.sun\nImplementation-Version: 1.5.0',
      'javax.mail-1.5.0.jar',
    ],
    ['Implementation-Title: g#a;2\nImplementation-Version: 1', 'a-1.jar'],
    ['Bundle-SymbolicName: org.apache.commons.lang3\nBundle-Version: 3.12.0', 'commons-lang3-3.12.0.jar'],
    ['Bundle-SymbolicName: com.example.fork\nBundle-Version: 4.31.1', 'protobuf-java-4.31.1.jar'],
    ['Automatic-Module-Name: com.google.protobuf\nBundle-Version: 4.31.1', 'protobuf-java-3.0.jar'],
    ['Automatic-Module-Name: constructor\nImplementation-Version: 1', 'a-1.jar'],
  ] as const)
    assert.equal(ask(manifest, file), undefined, manifest)
})
