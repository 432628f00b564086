import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Package } from '../model/package.ts'
import { programSubject } from './programs.ts'

const program = (name: string, version: string): Package => ({ kind: 'program', name, version })

test('a JDK before 9 has the version by which the catalogue calls it', () => {
  const versions = ['1.8.0_412', '1.7.0', '11.0.22', '25'].map((version) => programSubject(program('java', version))?.version)
  assert.deepEqual(versions, ['8.0.412', '7.0.0', '11.0.22', '25'])
  assert.equal(programSubject(program('nginx', '1.8.0'))?.version, '1.8.0')
})

test('a program that the catalogue does not have is judged by nobody', () => {
  assert.equal(programSubject(program('busybox', '1.36.1')), undefined)
  assert.equal(programSubject(program('constructor', '1')), undefined)
})
