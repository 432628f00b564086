// Every image that is compared.
import type { Recipe } from './recipe.ts'
import { debian } from './recipes/debian.ts'
import { go } from './recipes/go.ts'
import { java } from './recipes/java.ts'
import { node } from './recipes/node.ts'
import { others } from './recipes/others.ts'
import { python } from './recipes/python.ts'
import { rust } from './recipes/rust.ts'

export const recipes: readonly Recipe[] = [...debian, ...node, ...python, ...java, ...go, ...rust, ...others]
