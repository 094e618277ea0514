<?php
// SPDX-License-Identifier: Apache-2.0
// Names the Laravel request (8.65 and later) or job behind every query, in a comment that databases ignore.
//
//   app/Providers:                this file
//   bootstrap/providers.php, or   App\Providers\RowcallServiceProvider::class, in the list of providers
//   config/app.php up to 10:
//
// A query then ends in /*caller='app%2FHttp%2F…php%3A12',framework='laravel%3A11',route='GET%20%2Forders%2F%7Bid%7D',rowcall_request='6f1c…'*/:
// route is the scope that reports and budgets name, rowcall_request tells one request from the next (an X-Request-Id header is kept),
// caller is the app's line nearest to the query, looked up only under rowcall run. The app runs the same without rowcall.

namespace App\Providers;

use Illuminate\Queue\Events\JobExceptionOccurred;
use Illuminate\Queue\Events\JobProcessed;
use Illuminate\Queue\Events\JobProcessing;
use Illuminate\Support\ServiceProvider;

class RowcallServiceProvider extends ServiceProvider
{
    private const CONNECTIONS = [null];     // the default one; add the names of others that are used

    private ?array $job = null;

    public function boot(): void
    {
        foreach (self::CONNECTIONS as $name) {
            $this->app['db']->connection($name)->beforeExecuting(function (string &$query) {
                $tags = array_filter($this->job ?? $this->request());
                if ($tags) {
                    $tags += array_filter(['caller' => getenv('ROWCALL_URL') ? $this->caller() : null]) + ['framework' => 'laravel:' . $this->app->version()];
                    ksort($tags);
                    $query .= ' /*' . implode(',', array_map(fn ($key) => "$key='" . rawurlencode($tags[$key]) . "'", array_keys($tags))) . '*/';
                }
            });
        }
        $this->app['events']->listen(JobProcessing::class, function ($event) {
            $this->job = ['job' => $event->job->resolveName(), 'rowcall_request' => bin2hex(random_bytes(8))];
        });
        $this->app['events']->listen([JobProcessed::class, JobExceptionOccurred::class], function () {
            $this->job = null;
        });
    }

    private function request(): array
    {
        $request = $this->app['request'];
        if (!$request->route()) {           // a command, or no route chosen yet
            return [];
        }
        if (!$request->attributes->has('rowcall_request')) {
            $request->attributes->set('rowcall_request', $request->header('X-Request-Id') ?: bin2hex(random_bytes(8)));
        }
        return ['route' => $request->method() . ' /' . ltrim($request->route()->uri(), '/'), 'rowcall_request' => $request->attributes->get('rowcall_request')];
    }

    private function caller(): ?string
    {
        $home = $this->app->basePath() . '/';
        foreach (debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS) as $frame) {
            $file = $frame['file'] ?? '';
            if (str_starts_with($file, $home) && !str_starts_with($file, $home . 'vendor/') && $file !== __FILE__) {
                return substr($file, strlen($home)) . ':' . $frame['line'];
            }
        }
        return null;
    }
}
