import { overSqlite } from './suites/over.ts'
import { storeSuites } from './suites/suites.ts'

await overSqlite('store', [storeSuites])
