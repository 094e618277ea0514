<?php
// SPDX-License-Identifier: Apache-2.0
// laravel_shop.php: a Laravel app in one file on DATABASE_URL, with RowcallServiceProvider.php beside it, that visits its own pages: GET /orders
// asks once per row, GET /orders/joined does not.
require '/usr/share/php/Illuminate/autoload.php';
require __DIR__ . '/RowcallServiceProvider.php';

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;

class Customer extends Model
{
}

class Order extends Model
{
    public function customer()
    {
        return $this->belongsTo(Customer::class);
    }
}

foreach (['bootstrap/cache', 'config', 'storage/framework/views'] as $folder) {
    @mkdir(__DIR__ . "/$folder", 0755, true);
}
file_put_contents(__DIR__ . '/config/app.php', '<?php return ["env" => "testing", "debug" => true, "timezone" => "UTC", "locale" => "en", "providers" => [
    Illuminate\Database\DatabaseServiceProvider::class, Illuminate\Filesystem\FilesystemServiceProvider::class,
    Illuminate\View\ViewServiceProvider::class, App\Providers\RowcallServiceProvider::class], "aliases" => []];');
file_put_contents(__DIR__ . '/config/database.php', '<?php return ["default" => "pgsql", "connections" => ["pgsql" => ["driver" => "pgsql",
    "url" => getenv("DATABASE_URL"), "charset" => "utf8", "prefix" => ""]]];');
file_put_contents(__DIR__ . '/config/view.php', '<?php return ["paths" => [], "compiled" => "' . __DIR__ . '/storage/framework/views"];');

$app = new Application(__DIR__);
$app->singleton(Illuminate\Contracts\Http\Kernel::class, Illuminate\Foundation\Http\Kernel::class);
$app->singleton(ExceptionHandler::class, Illuminate\Foundation\Exceptions\Handler::class);
$kernel = $app->make(Illuminate\Contracts\Http\Kernel::class);
$kernel->bootstrap();

$show = fn ($orders) => $orders->map(fn ($order) => ['id' => $order->id, 'name' => $order->customer->name]);
Route::get('/orders', fn () => $show(Order::orderBy('id')->get()));
Route::get('/orders/joined', fn () => $show(Order::with('customer')->orderBy('id')->get()));
Route::get('/customers/{id}', fn ($id) => Customer::findOrFail($id)->name);

$visit = function (string $page) use ($kernel) {
    $answer = $kernel->handle(Request::create($page));
    if ($answer->getStatusCode() !== 200) {
        fwrite(STDERR, $answer->getContent());
        exit(1);
    }
    return $answer->getContent();
};
$loop = $visit('/orders');
if ([$visit('/orders/joined'), $visit('/orders/joined')] !== [$loop, $loop]) {
    fwrite(STDERR, "the pages differ\n");
    exit(1);
}
echo count(json_decode($loop)), " orders, {$visit('/customers/3')}\n";
