# SPDX-License-Identifier: Apache-2.0
# rails_shop.rb: a Rails app in one file on DATABASE_URL, with marginalia and config/initializers/rowcall.rb beside it, that visits its own pages: GET /orders
# asks once per row, GET /orders/joined does not.
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "rack/mock"
require "marginalia"

class Shop < Rails::Application
  config.root = __dir__
  config.eager_load = false
  config.logger = Logger.new(IO::NULL)
  config.secret_key_base = "only for this test"
  config.hosts.clear
  config.load_defaults Rails::VERSION::STRING.to_f
end

Shop.initialize!
ActiveRecord::Base.establish_connection(adapter: "postgresql", url: ENV["DATABASE_URL"], prepared_statements: false)

class Customer < ActiveRecord::Base
end

class Order < ActiveRecord::Base
  belongs_to :customer
end

class OrdersController < ActionController::Base
  def index
    render json: Order.order(:id).map { |order| { id: order.id, name: order.customer.name } }
  end

  def joined
    render json: Order.order(:id).includes(:customer).map { |order| { id: order.id, name: order.customer.name } }
  end
end

class CustomersController < ActionController::Base
  def show
    render plain: Customer.find(params[:id]).name
  end
end

Shop.routes.draw do
  get "/orders", to: "orders#index"
  get "/orders/joined", to: "orders#joined"
  get "/customers/:id", to: "customers#show"
end

browser = Rack::MockRequest.new(Shop)
visit = lambda do |page|
  answer = browser.get(page)
  raise answer.body unless answer.ok?
  answer.body
end
loop_page = visit["/orders"]
raise "the pages differ" unless [visit["/orders/joined"], visit["/orders/joined"]].uniq == [loop_page]
puts "#{JSON.parse(loop_page).size} orders, #{visit["/customers/3"]}"
