import { type BenchProject } from '../bench.js';
import { FRESH, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders } from '../requests.js';

/** So many are repriced and asked for, spread over all that there are. */
export const PRODUCTS = 10_000;

/** @param apart how far apart the products are of which there are prices */
export function repricing(project: BenchProject, connections: number, apart: number): LoadRequest[] {
  const headers = jsonHeaders(project);
  return changingRequests({ connections, subjects: PRODUCTS - connections, values: 2 }, (product, value) => ({
    method: 'POST',
    path: '/v1/prices',
    headers,
    body: JSON.stringify({ product_id: `product-${product * apart}`, price: `${FRESH}.${value + 1}` }),
  }));
}

export function priceReads(project: BenchProject, apart: number): LoadRequest[] {
  return Array.from({ length: PRODUCTS }, (_, product) => ({
    method: 'GET',
    path: `/v1/prices/product-${product * apart}`,
    headers: jsonHeaders(project),
  }));
}
