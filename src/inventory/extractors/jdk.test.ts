import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { jdk } from './jdk.ts'

const temurin =
  'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_RUNTIME_VERSION="25.0.3+9-LTS"\nJAVA_VERSION="25.0.3"\nMODULES="java.base java.sql"\nSOURCE=".:git:cda0a1776184"\n'

test('the release file of a JDK says its version and who built it', () => {
  assert.deepEqual(packagesOf(jdk, 'opt/java/openjdk/release', temurin), [
    { kind: 'program', name: 'java', version: '25.0.3', maintainer: 'Eclipse Adoptium' },
  ])
  assert.deepEqual(packagesOf(jdk, 'usr/lib/jvm/jre/release', 'JAVA_VERSION="1.8.0_412"\nOS_NAME="Linux"\n'), [
    { kind: 'program', name: 'java', version: '1.8.0_412' },
  ])
})

test('another release file says nothing, and one that lies is a problem', () => {
  assert.deepEqual(factsOf(jdk, 'etc/x/release', 'Fedora release 41\n'), [])
  assert.deepEqual(factsOf(jdk, 'opt/x/release', 'JAVA_VERSION="latest"\n'), [{ problem: 'a JAVA_VERSION that is none' }])
  assert.equal(jdk.wants('etc/os-release'), false)
})

bearsAnything(jdk, 'opt/java/release', temurin)
