// Writes src/api/schema.d.ts from an OpenAPI file: npm run generate [-- path/to/openapi.json]
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'

const source = resolve(process.argv[2] ?? 'openapi.json')
const target = resolve(import.meta.dirname, '../src/api/schema.d.ts')
const document = JSON.parse(await readFile(source, 'utf8'))
const text = astToString(await openapiTS(document, { defaultNonNullable: false }))
await writeFile(target, `// Generated from openapi.json by "npm run generate"; never edited by hand.\n\n${text}`)
process.stdout.write(`${target}\n`)
