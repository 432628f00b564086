import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownFile } from './known-files.ts'

/** Jars as they are published: the file, a folder of its classes, the version of the manifest, the coordinates. */
const published: [file: string, folder: string, stated: string, coordinates: string][] = [
  ['kafka-clients-3.4.0.jar', 'org/apache/kafka', '', 'org.apache.kafka:kafka-clients:3.4.0'],
  ['okhttp-4.11.0.jar', 'okhttp3', '', 'com.squareup.okhttp3:okhttp:4.11.0'],
  ['okio-3.2.0.jar', 'okio', '', 'com.squareup.okio:okio:3.2.0'],
  ['grpc-netty-shaded-1.56.0.jar', 'io/grpc', '1.56.0', 'io.grpc:grpc-netty-shaded:1.56.0'],
  ['scala-library-2.13.11.jar', 'scala', '2.13.11.v20230531-233414-VFINAL-f113b1a', 'org.scala-lang:scala-library:2.13.11'],
  ['jackson-mapper-asl-1.9.2.jar', 'org/codehaus/jackson', '1.9.2', 'org.codehaus.jackson:jackson-mapper-asl:1.9.2'],
  ['bcprov-jdk18on-1.74.jar', 'org/bouncycastle', '1.74.0.0', 'org.bouncycastle:bcprov-jdk18on:1.74'],
  ['c3p0-0.9.5.4.jar', 'com/mchange', '0.9.5.4', 'com.mchange:c3p0:0.9.5.4'],
  ['jaxb-impl-2.2.3-1.jar', 'com/sun/xml', '2.2.3', 'com.sun.xml.bind:jaxb-impl:2.2.3-1'],
  ['stax-api-1.0-2.jar', 'javax/xml/stream', '', 'javax.xml.stream:stax-api:1.0-2'],
  ['aspectjweaver-1.9.7.jar', 'org/aspectj/weaver', '', 'org.aspectj:aspectjweaver:1.9.7'],
  ['asm-9.1.jar', 'org/objectweb/asm', '9.1', 'org.ow2.asm:asm:9.1'],
  ['asm-3.1.jar', 'org/objectweb/asm', '', 'asm:asm:3.1'],
  ['antlr-2.7.7.jar', 'antlr', '', 'antlr:antlr:2.7.7'],
]

test('jars that say nothing of themselves are known by name and classes together', () => {
  for (const [file, folder, stated, coordinates] of published) {
    const found = knownFile(file, new Set([folder, 'META-INF/versions']), stated)
    assert.equal(`${found?.group}:${found?.artifact}:${found?.version}`, coordinates)
  }
})

test('neither is enough, and another version in the manifest is too much', () => {
  const folders = new Set(['org/apache/kafka'])
  assert.equal(knownFile('kafka-clients-3.4.0.jar', new Set(['com/example/kafka']), ''), undefined)
  assert.equal(knownFile('clients.jar', folders, ''), undefined)
  assert.equal(knownFile('kafka-clients.jar', folders, '3.4.0'), undefined)
  assert.equal(knownFile('kafka-clients-latest.jar', folders, ''), undefined)
  assert.equal(knownFile('my-kafka-clients-3.4.0.jar', folders, ''), undefined)
  assert.equal(knownFile('kafka-clients-3.4.0.jar', folders, '1.0'), undefined)
  assert.equal(knownFile('../kafka-clients-3.4.0.jar', folders, ''), undefined)
})
