import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { publishedRoutes } from './openapi-routes.js';
import { started } from './started.js';
import { startSystem, type System } from './system.js';

describe('the OpenAPI document', () => {
  let system: System;
  let document: any;
  beforeAll(async () => {
    system = await startSystem();
    document = (await system.admin.as(undefined).get('/openapi.json')).body;
  });
  afterAll(() => system.stop());

  it('is there without a key, and says what it is', () => {
    expect(document.openapi).toMatch(/^3\.0\./);
    expect(document.info).toMatchObject({ title: 'Flotilla', version: '1' });
  });

  it('has each route that the gateway serves, and no other', async () => {
    const controllers = system.gateway.app.get(DiscoveryService, { strict: false }).getControllers();
    const served = controllers.flatMap(({ metatype, instance }) => {
      const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
      return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
        const method = Reflect.getMetadata(METHOD_METADATA, prototype[name]!) as RequestMethod | undefined;
        if (method === undefined) return [];
        const parts = [metatype as object, prototype[name]!].map(
          (place) => Reflect.getMetadata(PATH_METADATA, place) as string,
        );
        const path = `/${parts.join('/')}`.replace(/\/+$/, '').replace(/:(\w+)/g, '{$1}');
        return [`${RequestMethod[method]} ${path}`];
      });
    });
    const published = (await publishedRoutes(system.admin)).map(({ name }) => name);
    expect(published.sort()).toEqual(served.sort());
  });

  it('gives each operation a summary, an answer that is well, and its parameters', () => {
    for (const [path, operations] of Object.entries(document.paths as Record<string, Record<string, any>>)) {
      for (const [method, operation] of Object.entries(operations)) {
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const declared = (operation.parameters as { in: string; name: string; required: boolean }[])
          .filter((parameter) => parameter.in === 'path' && parameter.required)
          .map(({ name }) => name);
        expect([method, path, declared.sort()]).toEqual([method, path, inPath.sort()]);
        expect(operation.summary).toEqual(expect.any(String));
        expect(Object.keys(operation.responses as object).some((status) => /^2\d\d$/.test(status))).toBe(
          true,
        );
        if (path.startsWith('/v1')) {
          expect(operation.security).toEqual([{ bearer: [] }]);
          expect(operation.responses.default.content).toHaveProperty(['application/problem+json']);
        }
      }
    }
  });

  it('needs no header, and takes an idempotency key on each write', () => {
    const operations = Object.values(document.paths as Record<string, Record<string, any>>).flatMap(
      Object.entries,
    );
    expect(operations.length).toBeGreaterThan(40);
    for (const [method, { operationId, parameters }] of operations) {
      const headers = parameters.filter((one: { in: string }) => one.in === 'header');
      expect([operationId, headers.filter((one: { required: boolean }) => one.required)]).toEqual([
        operationId,
        [],
      ]);
      const names = headers.map(({ name }: { name: string }) => name);
      expect([operationId, names.includes('idempotency-key')]).toEqual([
        operationId,
        ['post', 'patch', 'put'].includes(method),
      ]);
    }
  });

  it('names each parameter of an operation once: a header in any case is one', () => {
    for (const operations of Object.values(document.paths as Record<string, Record<string, any>>)) {
      for (const { operationId, parameters } of Object.values(operations)) {
        const names = (parameters as { in: string; name: string }[]).map((one) =>
          one.in === 'header' ? `header ${one.name.toLowerCase()}` : `${one.in} ${one.name}`,
        );
        expect([operationId, names]).toEqual([operationId, [...new Set(names)]]);
      }
    }
  });

  it.each(['state', 'state/desired'])(
    'says of a merge patch of %s that it is what data is otherwise',
    (of) => {
      const { content } = document.paths[`/v1/devices/{device_id}/${of}`].patch.requestBody;
      const name = content['application/json'].schema.$ref.split('/').at(-1) as string;
      const { data } = document.components.schemas[name].properties;
      expect(data).toMatchObject({ type: 'object', additionalProperties: true });
      expect(content['application/merge-patch+json'].schema).toEqual(data);
    },
  );

  it('refers to nothing that it does not hold', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    const schemas = Object.keys(document.components.schemas as object);
    for (const [, name] of references) expect(schemas).toContain(name);
  });

  it('names each operation once', () => {
    const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>)
      .flatMap((operations) => Object.values(operations))
      .map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has a page at /docs that loads nothing from elsewhere', async () => {
    const page = await fetch(`${system.url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const html = await page.text();
    const assets = [...html.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, link]) => link!);
    const loaded = assets.filter((link) => !link.startsWith('#'));
    expect(loaded.length).toBeGreaterThanOrEqual(4);
    for (const link of loaded) {
      const url = new URL(link, page.url);
      expect(url.origin).toBe(new URL(system.url).origin);
      const asset = await fetch(url);
      expect([link, asset.status]).toEqual([link, 200]);
      const text = await asset.text();
      expect(text.length).toBeGreaterThan(0);
      if (url.pathname.endsWith('.css')) expect(text).not.toMatch(/@import|url\(["']?(?:https?:)?\/\//);
      if (url.pathname.endsWith('init.js')) expect(text).not.toMatch(/["'](?:https?:)?\/\//);
    }
  });

  it('is the same of the bundles that `npm start` runs, with the page', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-openapi-'));
    const bundled = await started(directory);
    try {
      expect((await bundled.admin.get('/openapi.json')).body).toEqual(document);
      expect((await fetch(`${bundled.url}/docs/swagger-ui-bundle.js`)).status).toBe(200);
    } finally {
      bundled.kill('SIGTERM');
      await bundled.ended;
      await rm(directory, { recursive: true, force: true });
    }
  });
});
