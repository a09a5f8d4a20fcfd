// The content of answers and bodies by their address, which stays when a generated schema is renamed.
import type { paths } from './schema'

type Json<R> = R extends { content: { 'application/json': infer C } } ? C : never
type Good<R> = R extends { 200: infer A } ? A : R extends { 201: infer B } ? B : never
type Opened<C> = C extends { content: infer D } ? D : never

/** What a successful answer carries. */
export type ContentOf<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends { responses: infer R } ? Opened<Json<Good<R>>> : never

/** What is sent. */
export type BodyOf<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends { requestBody: infer R } ? Json<R> : never
